"""From sources to a corpus on disk: every row read by the task, every fault collected with its line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from burnish.core.errors import Faults, UserError
from burnish.core.events import Listener, Progress
from burnish.core.shelves import need
from burnish.data.columns import ColumnMap, map_columns
from burnish.data.corpus import Corpus, CorpusWriter
from burnish.data.paths import led_from
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.tasks._contract import Example, Task

TELL_EVERY_ROWS = 20_000
LINE, PLACE, CARRIED = "line", "place", "column."


@dataclass(frozen=True)
class Reading:
    """How rows become examples: the task, the user's column names, further columns to carry along."""

    task: Task
    columns: dict[str, str]
    carried: tuple[str, ...]
    bad_rows: Literal["stop", "drop"]


@dataclass
class Ingested:
    """A corpus, where its rows stood, and what was found out about its files."""

    corpus: Corpus
    places: list[str]
    facts: dict[str, dict[str, str]]
    n_dropped: int
    dropped: list[str] = field(default_factory=list)

    def where(self, example: Example) -> str:
        """`file:line` of an example."""
        return f"{self.places[example[PLACE]]}:{example[LINE]}"


def ingest(sources: Sequence[Source], reading: Reading, path: Path, listen: Listener) -> Ingested:
    """Stream every row of `sources` through the task into a corpus at `path`.

    Raises:
        UserError: rows that cannot be used (the first 20, and how many more), or a source that cannot be read.
    """
    faults = Faults()
    n_rows = 0
    with CorpusWriter(path, schema_of(reading)) as writer:
        for number, source in enumerate(sources):
            for example in _examples(source, number, reading, faults):
                writer.add(example)
                n_rows += 1
                if n_rows % TELL_EVERY_ROWS == 0:
                    listen(Progress(f"read {source.place()}", n_rows, None, "rows"))
        if reading.bad_rows == "stop":
            faults.raise_if_any()
    places = [source.place() for source in sources]
    if not n_rows:
        raise UserError(f"{places[0]}: has no usable row.", *faults.shown)
    facts = {source.place(): source.facts() for source in sources}
    return Ingested(Corpus(path), places, facts, faults.n_total, faults.shown)


def _examples(source: Source, number: int, reading: Reading, faults: Faults) -> Iterator[Example]:
    columns: ColumnMap | None = None
    for row in source.rows():
        if isinstance(row, BadRow):
            faults.add(f"{source.place()}:{row.line}: {row.problem}")
            continue
        if columns is None:
            columns = _column_map(source, row, reading)
        try:
            values = led_from(source.folder(), columns.pick(row.values), reading.task.files)
            example = reading.task.read(values, is_labelled=True)
        except ValueError as error:
            faults.add(f"{source.place()}:{row.line}: {error}")
            continue
        carried = {f"{CARRIED}{name}": _as_text(row.values.get(name)) for name in reading.carried}
        yield {**example, **carried, LINE: row.line, PLACE: number}


def _column_map(source: Source, row: Row, reading: Reading) -> ColumnMap:
    place = f"{source.place()}:{row.line}"
    return map_columns(row.values, reading.task.wanted, reading.columns, carried=reading.carried, where=place)


def _as_text(value: Any) -> str | None:
    return None if value is None else str(value)


def schema_of(reading: Reading) -> Any:
    """The corpus's pyarrow schema: the task's fields, carried columns as text, and where the row stood."""
    pa = need("pyarrow", "train")

    def arrow_type(name: str) -> Any:
        return pa.list_(arrow_type(name[5:-1])) if name.startswith("list<") else pa.type_for_alias(name)

    fields = {
        **reading.task.arrow_fields(),
        **{f"{CARRIED}{name}": "string" for name in reading.carried},
        LINE: "int32",
        PLACE: "int32",
    }
    return pa.schema([pa.field(name, arrow_type(kind)) for name, kind in fields.items()])
