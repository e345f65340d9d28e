"""The catalogue that is recommended from: ids, texts, further features, and how often each item was liked.

rows.arrow   id, text, more, payload (JSON), likes and recent likes of each item
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from burnish.core.errors import Faults, hint, listed
from burnish.core.shelves import need
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.tasks._corpus import CorpusRows
from burnish.tasks._rows import is_missing

ROWS = "rows.arrow"
COLUMNS = {
    "id": "string",
    "text": "string",
    "more": "string",
    "payload": "string",
    "likes": "int64",
    "recent": "double",
}
SEPARATOR = "|"
NEAR = 200  # ids among which a near miss is looked for: all of a large catalogue would take minutes for a wrong file

Ints = NDArray[np.int32]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Catalogue:
    """N items. `likes` and `recent` [N] are None until training rows were counted; `recent` weighs newer ones more."""

    ids: Sequence[str]
    texts: Sequence[str]
    more: Sequence[str]
    payloads: Sequence[str]
    likes: NDArray[np.int64] | None = None
    recent: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, rows: CorpusRows) -> Catalogue:
        return cls(rows.ids, rows.texts, rows.more, rows.payloads)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def number_of(self) -> dict[str, int]:
        """The number of each id."""
        return {name: number for number, name in enumerate(self.ids)}

    @property
    def read(self) -> list[str]:
        """[N] what the base reads of each item."""
        return [f"{text}\n{more}" if more else text for text, more in zip(self.texts, self.more, strict=True)]

    def payload(self, number: int) -> dict[str, Any]:
        return orjson.loads(self.payloads[number])  # type: ignore[no-any-return]

    def unknown(self, name: str) -> str:
        """The sentence about an id that the catalogue does not have."""
        alike = [one for one in self._by_start.get(name[:1], []) if abs(len(one) - len(name)) < 2][:NEAR]
        return f"the item '{name}' is not in the catalogue.{hint(name, alike)} It has {len(self):,} items."

    @cached_property
    def _by_start(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for name in self.ids:
            found.setdefault(name[:1], []).append(name)
        return found

    def counted(self, liked: Iterable[tuple[Sequence[int], float | None]], half_life: float) -> Catalogue:
        """With the likes of rows: item numbers and the time of each. A like of `half_life` of the whole time before
        the last one counts half as recent; rows without times count alike.
        """
        numbers: list[int] = []
        times: list[float] = []
        for items, time in liked:
            numbers += items
            times += [np.nan if time is None else time] * len(items)
        likes = np.bincount(np.asarray(numbers, np.int64), minlength=len(self))
        when = np.asarray(times, np.float64)
        known = when[~np.isnan(when)]
        span = float(known.max() - known.min()) if len(known) else 0.0
        age = np.nan_to_num((known.max() - when) / span) if span > 0 else np.zeros(len(when))
        recent = np.bincount(np.asarray(numbers, np.int64), 0.5 ** (age / half_life), minlength=len(self))
        return replace(self, likes=likes, recent=recent.astype(np.float64))

    def save(self, folder: Path) -> None:
        pa = need("pyarrow", "train")
        assert self.likes is not None, "the training rows were not counted"
        assert self.recent is not None, "the training rows were not counted"
        folder.mkdir(parents=True, exist_ok=True)
        schema = pa.schema([(name, pa.type_for_alias(kind)) for name, kind in COLUMNS.items()])
        columns = (self.ids, self.texts, self.more, self.payloads, self.likes.tolist(), self.recent.tolist())
        with CorpusWriter(folder / ROWS, schema) as writer:
            for row in zip(*columns, strict=True):
                writer.add(dict(zip(COLUMNS, row, strict=True)))


def open_catalogue(folder: Path) -> Catalogue:
    """The catalogue in a folder. Raises `UserError` when it is not there or cannot be read."""
    rows = Corpus(folder / ROWS)
    names, texts, more, payloads = (list(rows.values(name)) for name in ("id", "text", "more", "payload"))
    return Catalogue(names, texts, more, payloads, np.asarray(rows.column("likes")), np.asarray(rows.column("recent")))


@dataclass(frozen=True)
class Traits:
    """Features of N items beside their texts: categories [N, M] from 1, 0 where there are fewer; numbers [N, F] with
    mean 0 and deviation 1, 0 where one is missing.
    """

    names: Sequence[str]
    categories: Ints
    numbers: Floats


def traits_of(catalogue: Catalogue, categories: Sequence[str], numbers: Sequence[str]) -> Traits:
    """What the columns named `categories` and `numbers` say of the items.

    Raises:
        UserError: a column that no item has, or a number that is none.
    """
    rows = [catalogue.payload(at) for at in range(len(catalogue))] if categories or numbers else []
    _refuse_absent(rows, categories, numbers)
    each = [[f"{column}={one}" for column in categories for one in _listed(row.get(column))] for row in rows]
    names = sorted({name for one in each for name in one})
    code = {name: number for number, name in enumerate(names, 1)}
    table = np.zeros((len(catalogue), max((len(one) for one in each), default=0)), np.int32)
    for number, one in enumerate(each):
        table[number, : len(one)] = [code[name] for name in one]
    return Traits(names, table, _standardised(_numbers(catalogue, rows, numbers)))


def _refuse_absent(rows: Sequence[Mapping[str, Any]], categories: Sequence[str], numbers: Sequence[str]) -> None:
    known = {name for row in rows for name in row}
    faults = Faults()
    for setting, columns in (("categories", categories), ("numbers", numbers)):
        for name in columns:
            if name not in known:
                faults.add(f"task.{setting}: no item has a column '{name}'.{hint(name, known)} "
                           f"They have: {listed(sorted(known))}.")  # fmt: skip
    faults.raise_if_any()


def _listed(value: Any) -> list[str]:
    """The categories in a cell: a list, or a text with `|` between them."""
    if is_missing(value):
        return []
    parts = value if isinstance(value, list) else str(value).split(SEPARATOR)
    return list(dict.fromkeys(str(part).strip() for part in parts if not is_missing(part)))


def _numbers(catalogue: Catalogue, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
             ) -> NDArray[np.float64]:  # fmt: skip
    """[N, F] as they are, NaN where one is missing."""
    table, faults = np.full((len(catalogue), len(columns)), np.nan), Faults()
    for at, row in enumerate(rows):
        for place, column in enumerate(columns):
            if is_missing(row.get(column)):
                continue
            try:
                table[at, place] = float(row[column])
            except (TypeError, ValueError):
                faults.add(
                    f"task.numbers: the item '{catalogue.ids[at]}' has {row[column]!r} in '{column}', which is no "
                    "number; correct it, leave it empty, or name the column among task.categories."
                )
    faults.raise_if_any()
    return table


def _standardised(table: NDArray[np.float64]) -> Floats:
    n_each = np.maximum((~np.isnan(table)).sum(axis=0), 1)
    centred = table - np.nansum(table, axis=0) / n_each
    spread = np.sqrt(np.nansum(centred**2, axis=0) / n_each)
    return np.asarray(np.nan_to_num(centred / np.where(spread > 0, spread, 1.0)), np.float32)
