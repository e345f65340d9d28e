"""Two texts in one row, read twice, together and each for itself; what both readings make of them is compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity

from burnish.core.errors import UserError
from burnish.models.heads._contract import HeadPlan
from burnish.models.network import Network, load_pretrained
from burnish.models.pooling import mean_pool

FIRST, SECOND = 1, 2
N_READINGS = 2
SLOPE = 5.0  # logit for a cosine 1 above the middle, to start with: a base tuned for similarity begins at its cosines


class ComparingReadout(nn.Module):
    """hidden [2 B, T, H] of both readings, sides [B, T] → logits [B, L].

    `sides`, among the batch's inputs, is 1 at tokens of the first text, 2 at those of the second and 0 at padding. With
    u and v [B, H], the means of the two texts in a reading, the linear layer, which is 0 at first, reads |u - v| and
    u * v of each reading (the features of InferSent: Conneau et al. 2017, arXiv 1705.02364, §3.1) and the mean of
    the whole row where both were read together; the cosines of u and v are added with a slope each. Nothing in this
    knows which text is the first.
    """

    def __init__(self, width: int, n_labels: int, dropout: float, first_place: int = 0) -> None:
        super().__init__()
        self.first_place = first_place
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear((1 + 2 * N_READINGS) * width, n_labels)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        self.slopes = nn.Parameter(torch.full((n_labels, N_READINGS), SLOPE))

    def asked(self, inputs: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What the trunk is asked in place of the batch [B, T]: its rows together, then each text for itself [2 B, T].

        Places count from the start of each text, as if it stood alone. The mask [2 B, 1, T, T] is what eager attention
        adds to its scores.
        """
        sides, ids = inputs["sides"], inputs["input_ids"]
        is_real = (sides > 0)[:, None, :].expand(-1, sides.shape[1], -1)
        is_own = (sides[:, :, None] == sides[:, None, :]) & is_real
        is_seen = torch.cat([is_real, is_own])[:, None]
        mask = torch.zeros(is_seen.shape, device=ids.device).masked_fill(~is_seen, torch.finfo(torch.float32).min)
        counted = torch.arange(sides.shape[1], device=ids.device)
        places = counted - (sides == SECOND) * (sides == FIRST).sum(1, keepdim=True)
        places = torch.where(sides > 0, places, 0).clamp(min=0) + self.first_place  # whatever order sides come in
        twice = {"input_ids": ids, "position_ids": places}
        return {name: torch.cat([value] * N_READINGS) for name, value in twice.items()} | {"attention_mask": mask}

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        sides = inputs["sides"]
        together, alone = hidden.view(N_READINGS, *sides.shape, -1)  # [B, T, H] each
        parts, cosines = [mean_pool(together, sides > 0)], []
        for states in (together, alone):
            first, second = (mean_pool(states, sides == side) for side in (FIRST, SECOND))
            parts += [(first - second).abs(), first * second]
            cosines.append(cosine_similarity(first.float(), second.float(), dim=-1) - 0.5)
        alike = (torch.stack(cosines, dim=-1)[:, None, :] * self.slopes).sum(-1)  # [B, L]
        logits: Tensor = self.linear(self.dropout(torch.cat(parts, dim=-1))) + alike
        return logits


def attach_comparing(folder: Path, plan: HeadPlan, dropout: float) -> Network:
    """The base in `folder` with a new comparing readout on it.

    Raises:
        UserError: it cannot be told which tokens see each other.
    """
    trunk = load_pretrained("AutoModel", folder, plan.config_settings())
    readout = ComparingReadout(trunk.config.hidden_size, len(plan.labels), dropout, _first_place(trunk))
    if not _keeps_apart(trunk, readout):
        raise UserError(
            f"base: {folder} ({trunk.config.model_type}) cannot read two texts of one row apart, which the head "
            "'compare' asks for; take a base like BERT, RoBERTa or XLM-R, or the head cls or mean."
        )
    return Network(trunk, readout)


def _first_place(trunk: Any) -> int:
    """The place of a text's first token: bases like RoBERTa keep the lowest ones for padding."""
    padding = getattr(getattr(getattr(trunk, "embeddings", None), "position_embeddings", None), "padding_idx", None)
    return 0 if padding is None else padding + 1


def _keeps_apart(trunk: Any, readout: ComparingReadout) -> bool:
    """Whether one text's states are the same beside any other, where each is read for itself: tried, not believed."""
    ids = torch.tensor([[5, 6, 7], [5, 6, 8]]).clamp(max=trunk.config.vocab_size - 1)
    asked = readout.asked({"input_ids": ids, "sides": torch.tensor([[FIRST, FIRST, SECOND]] * 2)})
    try:
        with torch.inference_mode():
            states = trunk.eval()(**asked).last_hidden_state
    except (TypeError, ValueError, RuntimeError, IndexError):
        return False
    together, alone = ((one[0, :2] - one[1, :2]).abs().max() for one in states.chunk(N_READINGS))
    return bool(alone < 1e-5 and together > 1e-5)
