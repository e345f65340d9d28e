"""The first rows of a data file, read as what the file is: what `init` guesses from."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.data.encodings import detect, open_text
from burnish.data.lines import numbered
from burnish.data.opening import open_sources
from burnish.data.paths import require_file
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.flows.guessing import looks_headless

SAMPLE_ROWS = 2_000
ROWS_COUNTED = 20_000
"""Rows are counted up to here: no decision of `init` depends on how many more there are."""
AMBIGUOUS_SUFFIXES = (".txt", ".tsv")
"""Suffixes under which both tables and words with tags are handed around."""
LINES_PEEKED = 200
_TAG = re.compile(r"O|[BIESMLU]-\S+")


@dataclass(frozen=True)
class Sample:
    """A source, its first good rows, and how many rows it has (`ROWS_COUNTED` when it has more)."""

    source: Source
    rows: list[dict[str, Any]]
    n_rows: int


def file_of(source: Source) -> Path | None:
    """The file that a source reads; None when it reads none."""
    path = getattr(source, "path", None)
    return path if isinstance(path, Path) else None


def sample(data: str | Path) -> Sample:
    """Open a data file and read its first rows; a file without a header is opened again as what it is.

    Raises:
        UserError: the file cannot be read, or none of its rows can.
    """
    source = open_sources(_as_source(str(data)))[0]
    found = _read(source)
    if "has_header" in type(source).model_fields and looks_headless(found.rows):
        names = [f"column{number}" for number in range(1, len(found.rows[0]) + 1)]
        found = _read(opened_like(source, has_header=False, names=names))
    return found


def opened_like(source: Source, **changes: Any) -> Source:
    """The same kind of source with other settings. A copy would keep what the first one found out about its file."""
    return type(source).model_validate({**source.model_dump(), **changes})


def _as_source(data: str) -> Any:
    path = Path(data)
    suffix = path.suffix.lower()
    if suffix in AMBIGUOUS_SUFFIXES and _holds_tagged_words(path):
        return {"name": "conll", "path": data}
    return {"name": "tsv", "path": data} if suffix == ".txt" else data


def _holds_tagged_words(path: Path) -> bool:
    """Whether the first lines are words that end in an IOB-like tag, with blank lines between sentences."""
    require_file(path)
    with open_text(path, detect(path)) as stream:
        lines = [str(line).split() for _, line in islice(numbered(stream), LINES_PEEKED)]
    words = [fields for fields in lines if fields]
    has_blanks = len(words) < len(lines)
    has_spans = any(fields[-1] != "O" for fields in words)
    return has_blanks and has_spans and all(len(fields) > 1 and _TAG.fullmatch(fields[-1]) for fields in words)


def _read(source: Source) -> Sample:
    good: list[dict[str, Any]] = []
    bad: list[BadRow] = []
    n_rows = 0
    for row in islice(source.rows(), ROWS_COUNTED):
        n_rows += 1
        if n_rows > SAMPLE_ROWS:
            continue
        if isinstance(row, Row):
            good.append(row.values)
        else:
            bad.append(row)
    if not good:
        problems = [f"{source.place()}:{row.line}: {row.problem}" for row in bad[:20]]
        raise UserError(*(problems or [f"{source.place()}: has no rows."]))
    return Sample(source, good, n_rows)
