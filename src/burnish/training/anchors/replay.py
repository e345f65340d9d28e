"""The start's answers to old rows are rehearsed: dark experience replay (Buzzega et al. 2020, arXiv 2004.07211)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import Field

from burnish.core.errors import UserError
from burnish.core.seeds import generator
from burnish.training.anchors._contract import Anchor, Past

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from burnish.tasks._contract import Batch
    from burnish.training.steps import Position

MOST_BYTES = 1 << 30
"""Of logits that are kept in memory."""


class Replay(Anchor):
    """weight × squared distance (eq. 5) of the logits of old rows, one batch beside each batch, from the start's.

    The mean over outputs, as the authors compute it; of vectors, whose numbers say nothing alone, their sum. Outputs
    that the start did not have are free. Takes up to twice the time; holds on to answers, wherever the weights go.
    """

    weight: float = Field(default=0.5, ge=0)
    """How dear other answers are: α of the paper."""

    rows: int = Field(default=500, ge=1)
    """Most rows that the start knew which are rehearsed, drawn by the seed."""

    @property
    def most_rows(self) -> int:
        return self.rows

    def hold(self, past: Past) -> _Rehearsal:
        return _Rehearsal(self.weight, past, _answers(past))


@dataclass(frozen=True)
class _Rehearsal:
    weight: float
    past: Past
    wanted: list[Tensor]
    """The start's logits of each old batch."""

    def penalty(self, network: Module, position: Position) -> Tensor:
        draw = generator(self.past.seed, "replay", position.epoch, position.batch)
        number = int(draw.integers(len(self.wanted)))
        batch = self.past.old_batch(number)
        with self.past.hardware.arithmetic():
            logits = network(**batch.inputs)
        found = _real(self.past.known_logits(logits.float()), batch)
        apart = (found - self.wanted[number].to(found.device)).square()
        return self.weight * (apart.sum(-1) if self.past.origin.answers == "values" else apart).mean()


def _answers(past: Past) -> list[Tensor]:
    """The logits of each old batch as the start answers, without dropout, in fp32.

    Raises:
        UserError: they would not fit into memory.
    """
    import torch

    past.network.eval()
    kept: list[Tensor] = []
    with torch.no_grad():
        for batch in past.old_batches():
            kept.append(_real(past.known_logits(past.network(**batch.inputs).float()), batch).cpu())
            if sum(one.nbytes for one in kept) > MOST_BYTES:
                raise UserError(
                    f"train.anchor: the answers that replay would keep take more than {MOST_BYTES >> 30} GB; set fewer "
                    "rows, or name l2sp or ewc, which keep none."
                )
    return kept


def _real(logits: Tensor, batch: Batch) -> Tensor:
    """Rows of logits as they are; of logits of tokens [B, T, K] those of real tokens [N, K]."""
    is_real = batch.inputs.get("attention_mask")
    if is_real is None or "places" in batch.inputs or logits.shape[:-1] != is_real.shape:
        return logits
    return logits[is_real.bool()]
