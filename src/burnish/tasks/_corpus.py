"""The corpus that is searched, read from the user's files: ids, texts, and whatever else a hit should give back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from burnish.core.errors import Faults, UserError, hint
from burnish.data.columns import ColumnMap, Wanted, map_columns
from burnish.data.opening import open_sources
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.tasks._rows import is_missing, text_of

WANTED = (
    Wanted("id", False, "a name of the row's own; without one rows are numbered"),
    Wanted("text", True, "the text that is found"),
    Wanted("more", False, "further text that is searched with it, such as the answer to a question"),
)
SETTING = "task.corpus"


@dataclass
class CorpusRows:
    """Columns of a corpus: ids, texts, further texts that are searched with them, and all other columns as JSON."""

    ids: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    more: list[str] = field(default_factory=list)
    payloads: list[str] = field(default_factory=list)

    def add(self, name: str, text: str, more: str, payload: str) -> None:
        self.ids.append(name)
        self.texts.append(text)
        self.more.append(more)
        self.payloads.append(payload)


def read_corpus(value: Any, columns: Mapping[str, str], taken: Mapping[str, int], setting: str = SETTING) -> CorpusRows:
    """The rows that `value` names. Ids must be new: not `taken`, and each in one row only.

    Args:
        value: a file, several, or a source with settings, as `data.train` takes them.
        columns: `id`, `text`, `more` → the column that holds it.
        taken: the ids that the index holds already.
        setting: where the recipe or the command names `value`.

    Raises:
        UserError: every row that cannot be used, or there is no row.
    """
    sources = open_sources(value, where=setting)
    rows, faults = CorpusRows(), Faults()
    seen: dict[str, str] = {}
    number = 1 + max((int(name) for name in taken if re.fullmatch(r"[0-9]{1,18}", name)), default=0)
    for source in sources:
        for row, picked, payload in read_rows(source, WANTED, columns, faults):
            try:
                name = _id_of(picked["id"], number)
                _refuse_doubled(name, seen, taken)
                more = text_of(picked, "more", is_labelled=False)
                rows.add(name, text_of(picked, "text", is_labelled=True), more, payload)
                seen[name] = f"{source.place()}:{row.line}"
            except ValueError as error:
                faults.add(
                    f"{source.place()}:{row.line}: {error}".replace(" (data.bad_rows: drop skips such rows)", "")
                )
            number += 1
    faults.raise_if_any()
    if not rows.ids:
        raise UserError(f"{sources[0].place()}: has no row; a corpus needs at least one text to find.")
    return rows


def read_rows(
    source: Source, wanted: Sequence[Wanted], columns: Mapping[str, str], faults: Faults
) -> Iterator[tuple[Row, dict[str, Any], str]]:
    """Each row, what is wanted of it, and as JSON its further columns, and `more` with them."""
    found: ColumnMap | None = None
    for row in source.rows():
        if isinstance(row, BadRow):
            faults.add(f"{source.place()}:{row.line}: {row.problem}")
            continue
        if found is None:
            found = _column_map(row, wanted, columns, f"{source.place()}:{row.line}")
        try:
            picked = found.pick(row.values)
        except ValueError as error:
            faults.add(f"{source.place()}:{row.line}: {error}")
            continue
        told = {column for name, column in found.columns.items() if name != "more"}
        further = {key: item for key, item in row.values.items() if key not in told}
        yield row, picked, orjson.dumps(further, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def _column_map(row: Row, wanted: Sequence[Wanted], columns: Mapping[str, str], where: str) -> ColumnMap:
    try:
        return map_columns(row.values, wanted, columns, where=where)
    except UserError as error:
        faults = [fault.replace("data.columns", "task.corpus_columns") for fault in error.faults]
        raise UserError(*faults) from None


def _id_of(value: Any, number: int) -> str:
    """The id as text; a row without one is called by its number."""
    if is_missing(value):
        return str(number)
    if isinstance(value, float) and value.is_integer():  # a column of numbers with a gap, as pandas keeps it
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"'id' must be text or a whole number; got {value!r}.")
    return str(value).strip()


def _refuse_doubled(name: str, seen: Mapping[str, str], taken: Mapping[str, int]) -> None:
    if name in seen:
        raise ValueError(f"the id '{name}' stands at {seen[name]} already; give each row an id of its own.")
    if name in taken:
        raise ValueError(f"the id '{name}' is in the index already; delete it in the same call to replace it.")


def unknown_id(name: str, known: Mapping[str, int]) -> str:
    """The sentence about an id that is not in the corpus."""
    return f"the id '{name}' is not in the corpus.{hint(name, list(known)[:10_000])} It has {len(known):,} ids."
