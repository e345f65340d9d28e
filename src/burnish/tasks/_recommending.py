"""From users' vectors to rankings of a catalogue: the first stage scores every item, the second mixes the best anew.

The second stage is a sum of the first one's score and of what else is known (likeness of texts, popularity now and
ever, shared categories) with weights that are chosen on dev by the same softmax over a row's best items (listwise:
Cao et al. 2007, ICML, §4). It is kept only where it ranks better on dev rows that it was not fitted on.

weights.json           the weights of the second stage, where there is one
vectors.safetensors    vectors [N, D + 2] of the items, and of their texts [N, H]
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.metrics._ranked import DEPTH
from burnish.models.weights import write_arrays

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]
ROWS_AT_ONCE = 256
NEWEST = 10  # items of a history whose texts and categories are compared with a candidate's
TRAITS = ("score", "text likeness", "text likeness to the newest", "shared categories", "likes", "recent likes",
          "recent likes without a history")  # fmt: skip
LEAST_ROWS = 200  # of dev, to choose seven weights on and to try them
PULL = 0.01
"""How strongly weights are held to the first stage's score alone."""
WEIGHTS, VECTORS = "weights.json", "vectors.safetensors"


@dataclass(frozen=True)
class Asked:
    """Q rows: users [Q, D + 1 + H], their histories, what they should get, and what may be recommended (none: all)."""

    users: Floats
    histories: Sequence[Sequence[int]]
    wanted: Sequence[Sequence[int]]
    among: Sequence[Sequence[int]]

    def __len__(self) -> int:
        return len(self.users)

    def since(self, row: int) -> Asked:
        """The rows from `row` on."""
        return Asked(self.users[row:], self.histories[row:], self.wanted[row:], self.among[row:])


@dataclass(frozen=True)
class Ranked:
    """One row's ranking: the best items and their scores, and the place of each wanted one among all `n` ranked."""

    items: Ints
    scores: Floats
    places: Ints
    n: int


@dataclass(frozen=True)
class Stages:
    """Vectors of N items [N, D + 2] and of their texts [N, H]; traits that do not depend on a user; mixing weights."""

    vectors: Floats
    texts: Floats
    categories: NDArray[np.int32]
    likes: NDArray[np.float64]
    recent: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None

    def ranked(self, asked: Asked) -> Iterator[Ranked]:
        """A ranking for each row of what may be recommended and its history does not hold."""
        from burnish.models.preference import score

        for start in range(0, len(asked), ROWS_AT_ONCE):
            scores = score(asked.users[start : start + ROWS_AT_ONCE], self.vectors, self.texts)
            for row, scored in enumerate(scores, start):
                yield self._one(scored, asked, row)

    def _one(self, scores: Floats, asked: Asked, row: int) -> Ranked:
        history, among = asked.histories[row], asked.among[row]
        is_ranked = np.zeros(len(scores), bool)
        is_ranked[list(among) or slice(None)] = True
        is_ranked[list(history)] = False
        scores = np.where(is_ranked, scores, -np.inf)
        n = int(np.count_nonzero(is_ranked))
        best = _largest(scores, min(DEPTH, n))
        order, shown = best, scores[best]
        if self.weights is not None and n:
            mixed = self.traits(scores, best, history) @ self.weights
            again = np.argsort(-mixed, kind="stable")
            order, shown = best[again], mixed[again].astype(np.float32)
        places = np.array([_place(item, order, scores) for item in asked.wanted[row]], np.int64)
        return Ranked(order, shown, places, n)

    def traits(self, scores: Floats, items: Ints, history: Sequence[int]) -> NDArray[np.float64]:
        """[K, traits] of K items for one user."""
        newest = np.asarray(history[-NEWEST:], np.int64)
        likeness = self.texts[items] @ self.texts[newest].T if len(newest) else np.zeros((len(items), 1), np.float32)
        recent = np.log1p(self.recent[items])
        columns = (scores[items], likeness.mean(1), likeness[:, -1], self._shared(items, newest),
                   np.log1p(self.likes[items]), recent, recent * (not len(newest)))  # fmt: skip
        return np.stack([np.asarray(column, np.float64) for column in columns], axis=1)

    def _shared(self, items: Ints, newest: Ints) -> NDArray[np.float64]:
        """[K] cosine of an item's categories and those of the history, counted."""
        own, past = self.categories[items], self.categories[newest]
        counts = np.bincount(past[past > 0], minlength=int(self.categories.max(initial=0)) + 1).astype(float)
        n_own = np.maximum((own > 0).sum(axis=1), 1)
        shared = np.where(own > 0, counts[own], 0.0).sum(axis=1) if own.shape[1] else np.zeros(len(items))
        return np.asarray(shared / np.sqrt(n_own) / max(float(np.linalg.norm(counts)), 1.0))

    def tuned(self, asked: Asked) -> Stages:
        """With weights where they help: fitted on one half of the rows, tried on the other, then fitted on all."""
        first = replace(self, weights=None)
        if len(asked) < LEAST_ROWS:
            return first
        found = list(first.ranked(asked))
        lists = [self._list(one, asked, row) for row, one in enumerate(found)]
        half = len(lists) // 2
        tried = replace(first, weights=fitted(lists[:half]))
        after = list(tried.ranked(asked.since(half)))
        return replace(first, weights=fitted(lists)) if gain(after) > gain(found[half:]) else first

    def _list(self, found: Ranked, asked: Asked, row: int) -> tuple[Any, Any]:
        """Traits [K, traits] of a row's best items, and which of them are wanted [K]."""
        scores = np.zeros(len(self.vectors), np.float32)
        scores[found.items] = found.scores
        return self.traits(scores, found.items, asked.histories[row]), np.isin(found.items, asked.wanted[row])

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        write_arrays({"vectors": self.vectors, "texts": self.texts}, folder / VECTORS)
        if self.weights is not None:
            write_json(folder / WEIGHTS, dict(zip(TRAITS, self.weights.tolist(), strict=True)))


def open_vectors(folder: Path) -> tuple[Floats, Floats, NDArray[np.float64] | None]:
    """Vectors of items and of texts, and the weights of the second stage where there is one.

    Raises:
        UserError: they are not there or cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        found = load_file(folder / VECTORS)
        told = read_json(folder / WEIGHTS) if (folder / WEIGHTS).is_file() else None
        weights = None if told is None else np.array([told[name] for name in TRAITS], np.float64)
        return found["vectors"], found["texts"], weights
    except (OSError, KeyError, SafetensorError) as error:
        raise UserError(
            f"{folder}: does not hold the vectors of a catalogue ({error}); copy the bundle again."
        ) from None


def fitted(lists: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]) -> NDArray[np.float64]:
    """Weights [traits] that make wanted items likely among a row's best (softmax); rows without any teach nothing."""
    from scipy.optimize import minimize

    start: NDArray[np.float64] = np.eye(len(TRAITS))[0]
    useful = [(traits, wanted) for traits, wanted in lists if wanted.any()]
    if not useful:
        return start
    traits, wanted = _stacked(useful)  # [R, K, traits], [R, K]
    spread = traits[~np.isnan(traits[..., 0])].std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    scaled = np.nan_to_num(traits / scale)
    absent = np.where(np.isnan(traits[..., 0]), -np.inf, 0.0)

    def loss(weights: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        scores = scaled @ weights + absent
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        away = weights - start * scale[0]
        value = -np.sum(np.log(shares, where=wanted > 0, out=np.zeros_like(shares)) * wanted) / len(scaled)
        slope = np.einsum("rkt,rk->t", scaled, shares - wanted) / len(scaled)
        return float(value + PULL * away @ away), slope + 2 * PULL * away

    found: NDArray[np.float64] = minimize(loss, start * scale, jac=True, method="L-BFGS-B").x
    weights: NDArray[np.float64] = found / scale
    return weights


def _stacked(lists: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]
             ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:  # fmt: skip
    """Traits side by side, NaN where a row has fewer items; and wanted items, sharing 1 a row."""
    most = max(len(wanted) for _, wanted in lists)
    traits, shares = np.full((len(lists), most, len(TRAITS)), np.nan), np.zeros((len(lists), most))
    for row, (one, wanted) in enumerate(lists):
        traits[row, : len(one)] = one
        shares[row, : len(one)] = wanted / wanted.sum()
    return traits, shares


def gain(rows: Sequence[Ranked]) -> float:
    """Mean over rows of the discounted gain of the first 10 places; the order among wanted items plays no part."""
    return float(np.mean([np.sum(1 / np.log2(row.places[row.places < 10] + 2)) for row in rows])) if rows else 0.0


def _largest(values: Floats, n: int) -> Ints:
    """The places of the n largest, largest first; of equal ones the first."""
    if n < 1:
        return np.zeros(0, np.int64)
    candidates = np.sort(np.argpartition(-values, n - 1)[:n])
    return candidates[np.argsort(-values[candidates], kind="stable")]


def _place(item: int, order: Ints, scores: Floats) -> int:
    """Where an item stands, from 0: among the first in their order, below by the first stage's scores."""
    found = np.flatnonzero(order == item)
    if len(found):
        return int(found[0])
    above = scores > scores[item]
    earlier = (scores == scores[item]) & (np.arange(len(scores)) < item)
    return int(np.count_nonzero(above) + np.count_nonzero(earlier))
