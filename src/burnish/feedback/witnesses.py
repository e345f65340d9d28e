"""Who else spoke of an input, or of inputs near to it, and how far he sees it so too: one voice a user."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from burnish.feedback.choose.diverse import side_by_side
from burnish.feedback.opinions import Opinion
from burnish.feedback.rules import Known

ROWS_AT_ONCE = 256
NOBODY = -1

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Voices:
    """For each of N opinions the other users who spoke of its like; user numbers as in `users`."""

    users: list[str]
    """[U] every user, and last the known labels, which speak as one."""
    speaker: Ints
    """[N] who holds the opinion."""
    heard: list[tuple[Ints, Floats]]
    """[N] numbers of the others, and the share of what each said there that backs the opinion."""

    def support(self, weights: Floats) -> tuple[Floats, Ints]:
        """[N] share of the weight [U] of those who spoke that backs each opinion; [N] how many have any weight."""
        shares, counts = np.zeros(len(self.heard)), np.zeros(len(self.heard), np.int64)
        for number, (who, backing) in enumerate(self.heard):
            own = weights[who]
            total = own.sum()
            shares[number] = own @ backing / total if total > 0 else 0.0
            counts[number] = (own > 0).sum()
        return shares, counts


def hear(batch: Sequence[Opinion], earlier: Sequence[Opinion], known: Known | None, nearness: float) -> Voices:
    """The voices around each opinion of a batch; who spoke before it is heard too.

    Of the same input everything counts. Of another input that is near (cosine of the vectors at least `nearness`) only
    what means the same there, such as a label.
    """
    said = [*batch, *earlier]
    codes = _Codes(said, known)
    vectors, taught = _vectors(said, known)
    heard = []
    for start in range(0, len(batch), ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, len(batch)))
        near, near_known = (vectors[rows] @ of.T >= nearness for of in (vectors, taught))
        for place, number in enumerate(range(rows.start, rows.stop)):
            heard.append(codes.voices(number, near[place], near_known[place]))
    return Voices(codes.users, codes.user[: len(batch)], heard)


class _Codes:
    """Users, inputs and golds as numbers, so that all witnesses of an opinion are compared at once."""

    def __init__(self, said: Sequence[Opinion], known: Known | None) -> None:
        golds = _Numbers()
        self.users = [*dict.fromkeys(one.user for one in said), ""]
        self.user = _Numbers(self.users).of(one.user for one in said)
        self.item = _Numbers().of(one.item for one in said)
        self.gold = golds.of((one.member, one.gold) if one.gold is not None else None for one in said)
        self.answer = golds.of((one.member, one.answer) if one.answer is not None else None for one in said)
        self.is_named = np.asarray([one.is_named for one in said], bool)
        self.known = golds.of(("", gold) for gold in (known.labels if known is not None else ()))

    def voices(self, number: int, near: NDArray[np.bool_], near_known: NDArray[np.bool_]) -> tuple[Ints, Floats]:
        is_same = self.item == self.item[number]
        counts = is_same | (near & self.is_named & self.is_named[number])
        counts &= self.user != self.user[number]
        says_something = (self.gold != NOBODY) | (self.answer != NOBODY)
        at = np.flatnonzero(counts & says_something & says_something[number])
        backs = self._agree(number, at)
        n_users = len(self.users)
        spoke, backed = (np.bincount(self.user[at], own, n_users) for own in (None, backs))
        if self.is_named[number] and near_known.any():
            spoke[-1] = near_known.sum()
            backed[-1] = (self.known[near_known] == self.gold[number]).sum()
        who = np.flatnonzero(spoke)
        return who, backed[who] / spoke[who]

    def _agree(self, number: int, at: Ints) -> NDArray[np.bool_]:
        """Whether others can be right together with an opinion: "this answer is wrong" agrees with every other gold,
        whichever of the two says it, and with whoever says it too.
        """
        own, others = self.gold[number], self.gold[at]
        is_other = others != self.answer[number]
        agrees = is_other if own == NOBODY else np.where(others == NOBODY, self.answer[at] != own, others == own)
        return np.asarray(agrees, bool)


class _Numbers:
    """Numbers for things, from 0 on in order of their first appearance; None is `NOBODY`."""

    def __init__(self, first: Iterable[Hashable] = ()) -> None:
        self._numbers: dict[Hashable, int] = {}
        self.of(first)

    def of(self, things: Iterable[Hashable]) -> Ints:
        numbers = self._numbers
        return np.asarray(
            [NOBODY if one is None else numbers.setdefault(one, len(numbers)) for one in things], np.int64
        )


def _vectors(said: Sequence[Opinion], known: Known | None) -> tuple[Floats, Floats]:
    """[N, D] and [M, D] vectors of length 1; rows of zeros, which stand for no vector, are near to nothing."""
    own = side_by_side([one.prediction.vector if one.prediction.vector is not None else () for one in said])
    taught = known.vectors if known is not None else np.zeros((0, own.shape[1]))
    width = max(own.shape[1], taught.shape[1])
    return _unit(np.pad(own, ((0, 0), (0, width - own.shape[1])))), _unit(
        np.pad(taught, ((0, 0), (0, width - taught.shape[1])))
    )


def _unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.where(lengths > 0, lengths, 1.0)
