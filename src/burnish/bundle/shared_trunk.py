"""A body that networks of several bundles share: their batches go through it together, then each head answers."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from burnish.bundle.core import Outputs, planned, put
from burnish.bundle.torch_core import TorchCore, tokens_at_once
from burnish.bundle.trunks import Trunks
from burnish.models.borrowing import Borrowed, Rows, body_to_lend, borrow, is_equal, take_pooler
from burnish.tasks._contract import Batch, Collated, Feature, Task

TYPES = "token_type_ids"


def share(core: TorchCore, trunks: Trunks) -> TorchCore:
    """The core on the trunk that is loaded already, where one is equal to its own; as it is where it can share none."""
    body = body_to_lend(core.network) if type(core.task).ask is Task.ask else None
    if body is None:
        return core
    core.network.eval()
    pooler = take_pooler(body)
    trunk = trunks.known(SharedTrunk(body))
    borrow(core.network, trunk.body, pooler)
    return TorchCore(core.network, core.task, core.pad_id, core.n_labels, trunk)


@dataclass(frozen=True)
class _Part:
    """What one core has in a batch."""

    core: TorchCore
    collated: Collated
    batch: Batch
    rows: Rows

    @classmethod
    def of(cls, core: TorchCore, features: Sequence[Feature]) -> _Part:
        collated, body = core.collate(features), core.network.body
        batch = collated.to(core.device)
        assert isinstance(body, Borrowed), "only networks that borrow their body share it"
        return cls(core, collated, batch, body.rows_of(batch.inputs))

    def answer(self, read: Any) -> NDArray[np.float32]:
        """What its head makes of what the body read of its rows."""
        network = self.core.network
        with network.body.having_read(self.rows, read):  # type: ignore[operator]
            return self.core.task.ask(network, self.batch).float().cpu().numpy()


class SharedTrunk:
    """The body of one network or more, in evaluation mode. One call at a time."""

    def __init__(self, body: nn.Module) -> None:
        self.body = body
        self._reading = threading.Lock()

    def is_like(self, other: SharedTrunk) -> bool:
        return is_equal(self.body, other.body)

    def run(self, asked: Sequence[tuple[TorchCore, Sequence[Feature]]]) -> list[Outputs]:
        """The outputs of each core; batches hold features of all of them, by length."""
        outputs: list[Outputs] = [[np.zeros(0, np.float32)] * len(features) for _, features in asked]
        places = [(number, at) for number, (_, features) in enumerate(asked) for at in range(len(features))]
        together = [asked[number][1][at] for number, at in places]
        with self._reading, torch.inference_mode():
            for indices in planned(together, tokens_at_once(asked[0][0].device)):
                own = _by_core(places[i] for i in indices)
                parts = [_Part.of(asked[n][0], [asked[n][1][at] for at in some]) for n, some in own.items()]
                for (n, some), part, read in zip(own.items(), parts, self._read(parts), strict=True):
                    put(outputs[n], some, part.answer(read), part.collated, asked[n][1])
        return outputs

    def _read(self, parts: Sequence[_Part]) -> list[Any]:
        """What the body gives for the rows of each part. Those that are told in the same way are read together."""
        found: dict[int, Any] = {}
        for n in range(len(parts)):
            if n not in found:
                alike = [m for m, part in enumerate(parts) if self._can_join(part.rows, parts[n].rows)]
                found |= zip(alike, self._read_joined([parts[m] for m in alike]), strict=True)
        return [found[n] for n in range(len(parts))]

    def _read_joined(self, parts: Sequence[_Part]) -> list[Any]:
        """Rows of a common length T, those that are equal but once; of what comes out each part gets its own, cut to
        its own length.
        """
        length = max(_length(part.rows) for part in parts)
        names = {name for part in parts for name in part.rows}
        joined = {name: torch.cat([_filled(part, name, length) for part in parts]) for name in names}
        firsts, places = _distinct(joined)
        is_repeated = len(firsts) < len(places)
        outputs = self.body(**({name: one[firsts] for name, one in joined.items()} if is_repeated else joined))
        read, at = [], 0
        for part in parts:
            n_rows = len(part.rows["input_ids"])
            rows: Any = places[at : at + n_rows] if is_repeated else slice(at, at + n_rows)
            read.append(_cut(outputs, rows, length, _length(part.rows)))
            at += n_rows
        return read

    def _can_join(self, one: Rows, other: Rows) -> bool:
        """Whether rows can be padded to one length, as a mask tells what is padding, and are told in the same way."""
        differing = one.keys() ^ other.keys()
        is_alike = not differing or (differing == {TYPES} and self._reads_no_types_as_zeros)
        return is_alike and ("attention_mask" in one or _length(one) == _length(other))

    @cached_property
    def _reads_no_types_as_zeros(self) -> bool:
        """Whether no token types are the same to it as types of 0: so BERT and its family, not XLNet."""
        ids = torch.arange(3, device=next(self.body.parameters()).device).unsqueeze(0)
        rows = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        told = self.body(**rows, **{TYPES: torch.zeros_like(ids)})
        return torch.equal(told.last_hidden_state, self.body(**rows).last_hidden_state)


def _by_core(places: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """Places of core and feature → the features of each core."""
    found: dict[int, list[int]] = {}
    for number, at in places:
        found.setdefault(number, []).append(at)
    return found


def _length(rows: Rows) -> int:
    return rows["input_ids"].shape[1]


def _filled(part: _Part, name: str, length: int) -> Tensor:
    rows = part.rows[name] if name in part.rows else torch.zeros_like(part.rows["input_ids"])
    value = part.core.pad_id if name == "input_ids" else 0
    return nn.functional.pad(rows, (0, length - rows.shape[1]), value=value)


def _distinct(rows: Rows) -> tuple[list[int], list[int]]:
    """Where each different row comes first, and for every row the number of that among the different ones."""
    whole = torch.cat([rows[name] for name in sorted(rows)], dim=1).cpu().numpy()
    number: dict[bytes, int] = {}
    firsts: list[int] = []
    places: list[int] = []
    for at, row in enumerate(whole):
        key = row.tobytes()
        if key not in number:
            number[key] = len(firsts)
            firsts.append(at)
        places.append(number[key])
    return firsts, places


def _cut(outputs: Any, rows: list[int] | slice, length: int, own_length: int) -> Any:
    """The same kind of outputs for some rows, without the padding that others needed."""
    cut = {}
    for name in ("last_hidden_state", "pooler_output"):
        if (whole := outputs.get(name)) is not None:
            is_by_token = whole.ndim == 3 and whole.shape[1] == length
            cut[name] = whole[rows][:, :own_length] if is_by_token else whole[rows]
    return type(outputs)(**cut)
