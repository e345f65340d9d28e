"""The index: texts, their vectors and their word counts, searched in memory, exactly or among neighbours.

vectors.safetensors   [N, H] float32, each of length 1
rows.jsonl            id, text, more, payload (JSON) of each row, a line each: what searches needs no Arrow library

Word counts are counted anew when an index is opened: that is quicker than reading them.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from burnish.core.errors import Faults, UserError
from burnish.core.files import disk_faults
from burnish.data.corpus import Corpus
from burnish.models.weights import write_arrays
from burnish.tasks._bm25 import Bm25
from burnish.tasks._corpus import CorpusRows, unknown_id
from burnish.tasks._neighbours import Neighbours

Floats = NDArray[np.float32]
VECTORS, ROWS = "vectors.safetensors", "rows.jsonl"
OLD_ROWS = "rows.arrow"  # the same, in bundles made before rows were JSON
COLUMNS = ("id", "text", "more", "payload")
QUERIES_AT_ONCE = 256
DEPTH = 100
"""Rows that a search gives, and over which cosines are stretched before they are added to word scores."""
NEAR = 4 * DEPTH
"""Neighbours that are compared by their vectors where not all rows are."""


class Ranking(NamedTuple):
    """Rows of the index, best first; the score of each, 0 … 1 within one query, and its cosine with the query."""

    rows: NDArray[np.int64]
    scores: Floats
    cosines: Floats


@dataclass(frozen=True)
class Index:
    """N rows that can be found. `vectors` [N, H] is None until a network has read the texts."""

    ids: Sequence[str]
    texts: Sequence[str]
    more: Sequence[str]
    payloads: Sequence[str]
    vectors: Floats | None = None

    @classmethod
    def of(cls, rows: CorpusRows) -> Index:
        return cls(rows.ids, rows.texts, rows.more, rows.payloads)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each id."""
        return {name: row for row, name in enumerate(self.ids)}

    @cached_property
    def ids_of_text(self) -> dict[str, list[str]]:
        """Text, without the space around it → the ids of its rows."""
        found: dict[str, list[str]] = {}
        for name, text in zip(self.ids, self.texts, strict=True):
            found.setdefault(text.strip(), []).append(name)
        return found

    @property
    def searched(self) -> list[str]:
        """[N] what is read of each row: its text, and what more is searched with it."""
        return [f"{text}\n{more}" if more else text for text, more in zip(self.texts, self.more, strict=True)]

    @cached_property
    def bm25(self) -> Bm25:
        return Bm25(self.searched)

    @cached_property
    def neighbours(self) -> Neighbours:
        assert self.vectors is not None, "the network has not read the corpus yet"
        return Neighbours(self.vectors)

    def payload(self, row: int) -> dict[str, Any]:
        return orjson.loads(self.payloads[row])  # type: ignore[no-any-return]

    def with_vectors(self, vectors: Floats) -> Index:
        return replace(self, vectors=vectors)

    def without(self, ids: Collection[str]) -> Index:
        """The index without some rows.

        Raises:
            UserError: an id is not in the index, or nothing would be left.
        """
        faults = Faults()
        for name in ids:
            if name not in self.row_of:
                faults.add(f"delete: {unknown_id(name, self.row_of)}")
        faults.raise_if_any()
        gone = set(ids)
        kept = [row for row, name in enumerate(self.ids) if name not in gone]
        columns = [[column[row] for row in kept] for column in self._columns]
        return _of_columns(columns, None if self.vectors is None else self.vectors[kept])

    def with_rows(self, added: Index) -> Index:
        """Both, one after the other; either both have vectors or neither."""
        columns = [[*mine, *theirs] for mine, theirs in zip(self._columns, added._columns, strict=True)]
        if self.vectors is None or added.vectors is None:
            return _of_columns(columns, None)
        return _of_columns(columns, np.concatenate([self.vectors, added.vectors]))

    @property
    def _columns(self) -> tuple[Sequence[str], ...]:
        """As many as `COLUMNS` names, in its order."""
        return self.ids, self.texts, self.more, self.payloads

    def search(
        self, queries: Sequence[str], vectors: Floats, vector_share: float, *, is_exact: bool = True
    ) -> list[Ranking]:
        """The best rows for each query, at most 100. `vectors` [Q, H] are the queries'. Not exact is the search among
        the neighbours of each query and the rows that have its words.
        """
        assert self.vectors is not None, "the network has not read the corpus yet"
        found = []
        for start in range(0, len(queries), QUERIES_AT_ONCE):
            chunk = slice(start, start + QUERIES_AT_ONCE)
            some, own = queries[chunk], vectors[chunk].astype(np.float32)
            if is_exact:
                cosines = own @ self.vectors.T  # [chunk, N]
                found += [self._best(query, row, vector_share) for query, row in zip(some, cosines, strict=True)]
            else:
                near = zip(some, own, self.neighbours.near(own, NEAR), strict=True)
                found += [self._best_near(query, vector, rows, vector_share) for query, vector, rows in near]
        return found

    def _best(self, query: str, cosines: Floats, vector_share: float) -> Ranking:
        """Of all rows."""
        words = self._words(query, len(cosines), vector_share)
        return _fused(words, float(words.max()), cosines, vector_share)

    def _best_near(self, query: str, vector: Floats, rows: NDArray[np.int64], vector_share: float) -> Ranking:
        """Of some rows, and of those that have most of the query's words."""
        assert self.vectors is not None
        words = self._words(query, len(self), vector_share)
        if vector_share < 1:
            rows = np.union1d(rows, _largest(words, DEPTH))
        found = _fused(words[rows], float(words.max()), self.vectors[rows] @ vector, vector_share)
        return found._replace(rows=rows[found.rows])

    def _words(self, query: str, n_rows: int, vector_share: float) -> Floats:
        return self.bm25.scores(query) if vector_share < 1 else np.zeros(n_rows, np.float32)

    def save(self, folder: Path) -> None:
        """Both files, in a folder that may be new."""
        folder.mkdir(parents=True, exist_ok=True)
        rows = (dict(zip(COLUMNS, row, strict=True)) for row in zip(*self._columns, strict=True))
        with disk_faults(folder / ROWS), (folder / ROWS).open("wb") as file:
            file.writelines(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        assert self.vectors is not None, "the network has not read the corpus yet"
        write_arrays({"vectors": self.vectors}, folder / VECTORS)


def _of_columns(columns: Sequence[Sequence[str]], vectors: Floats | None) -> Index:
    ids, texts, more, payloads = columns
    return Index(ids, texts, more, payloads, vectors)


def _fused(words: Floats, most_words: float, cosines: Floats, vector_share: float) -> Ranking:
    """The sum of both scores, each brought to 0 … 1 for this query (Bruch, Gai and Ingber 2023, arXiv 2210.11934).

    A convex sum ranks better than the sum of reciprocal ranks, which forgets how far apart scores are.
    """
    fused = vector_share * _stretched(cosines) + (1 - vector_share) * words / max(most_words, 1e-9)
    best = _largest(fused, DEPTH)
    best = best if vector_share > 0 else best[words[best] > 0]  # without a word of the query nothing is found
    return Ranking(best, fused[best], cosines[best])


def _largest(values: Floats, n: int) -> NDArray[np.int64]:
    """The places of the n largest, largest first; of equal ones the first."""
    n = min(n, len(values))
    candidates = np.sort(np.argpartition(-values, n - 1)[:n])
    return candidates[np.argsort(-values[candidates], kind="stable")]


def _stretched(cosines: Floats) -> Floats:
    """Cosines moved so that the best is 1 and the 100th best 0: bases differ in the range that theirs fill."""
    best = cosines[_largest(cosines, DEPTH)]
    span = best[0] - best[-1]
    return (cosines - best[-1]) / span if span > 0 else np.ones_like(cosines)


def open_index(folder: Path) -> Index:
    """The index in a folder.

    Raises:
        UserError: it is not there or cannot be read.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    try:
        vectors = load_file(folder / VECTORS)["vectors"]
    except (OSError, KeyError, SafetensorError) as error:
        raise UserError(
            f"{folder / VECTORS}: is not the vectors of an index ({error}); copy the bundle again."
        ) from None
    columns = _read_columns(folder)
    n_rows = len(columns[0])
    if len(vectors) != n_rows:
        raise UserError(f"{folder}: has {len(vectors):,} vectors for {n_rows:,} texts; copy the bundle again.")
    return _of_columns(columns, vectors)


def _read_columns(folder: Path) -> list[list[str]]:
    if (folder / OLD_ROWS).is_file():
        rows = Corpus(folder / OLD_ROWS)
        return [list(rows.values(name)) for name in COLUMNS]
    columns: list[list[str]] = [[] for _ in COLUMNS]
    try:
        with (folder / ROWS).open("rb") as file:
            for row in map(orjson.loads, file):
                for name, column in zip(COLUMNS, columns, strict=True):
                    column.append(row[name])
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(f"{folder / ROWS}: is not the texts of an index ({error}); copy the bundle again.") from None
    return columns
