"""Queries and the passages that they should find, learnt from each other within a batch.

A row's feature holds its query, its passage and, where there is one, a text that looks right and is not. Every passage
of a batch that is not a query's own is one to keep away from.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence

import numpy as np

from burnish.metrics._ranked import DEPTH, RankedOutcome
from burnish.tasks._contract import Answered, Arrays, Example, Feature


def passages_of(example: Example) -> list[str]:
    return [example[name] for name in ("passage", "negative") if example[name]]


def code_of(text: str) -> int:
    """A number by which equal texts of a batch know each other."""
    return zlib.crc32(text.strip().encode()) >> 1


def targets_of(rows_each: Sequence[int], features: Sequence[Feature]) -> Arrays:
    """Rows of the network: queries [B] and passages [P]; own [B]: the place of each query's own among the passages.

    is_twin [B, P]: the passages that are not the own one but have its text.
    """
    starts = np.concatenate([[0], np.cumsum(rows_each)[:-1]])
    passages = np.setdiff1d(np.arange(sum(rows_each)), starts)
    own = np.searchsorted(passages, starts + 1)
    codes = np.concatenate([feature["codes"] for feature in features])
    is_twin = codes[own][:, None] == codes[None, :]
    is_twin[np.arange(len(own)), own] = False
    return {"queries": starts, "passages": passages, "own": own, "is_twin": is_twin}


def among_themselves(answered: Sequence[Answered]) -> RankedOutcome:
    """Each query among the rows' own texts, by vectors: what training watches, quick and without the whole corpus."""
    texts = [str(row.example["passage"]) for row in answered]
    if not texts:
        return RankedOutcome.of([], [])
    first = {text: row for row, text in reversed(list(enumerate(texts)))}
    vectors = [np.split(row.outputs[0], len(row.features[0]["n_each"])) for row in answered]
    passages = np.stack([vectors[row][1] for row in first.values()])
    cosines = np.stack([pair[0] for pair in vectors]) @ passages.T
    names = list(first)
    order = np.argsort(-cosines, axis=1, kind="stable")
    return RankedOutcome.of([[text] for text in texts], [[names[at] for at in row[:DEPTH]] for row in order])
