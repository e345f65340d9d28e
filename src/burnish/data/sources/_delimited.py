"""Reading lines of cells: what csv and tsv share. Faults are rows too, so that a fault never hides the next."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, open_text
from burnish.data.lines import BadLine, line_ends, read_line
from burnish.data.sources._contract import BadRow, Row

CELL_LIMIT = 1_000_000
"""Most characters of one cell; a longer one is far more often an unclosed quote than a text."""

DELIMITERS = ",;\t|"
_SNIFF_CHARACTERS = 1 << 16
_NAMES = {"\t": "tab"}


@dataclass(frozen=True, slots=True)
class Layout:
    """How a delimited file is laid out. `names` are used instead of a header, or in place of its names."""

    delimiter: str
    is_quoted: bool
    has_header: bool
    names: tuple[str, ...]

    def delimiter_name(self) -> str:
        return _NAMES.get(self.delimiter, self.delimiter)


def sniff_delimiter(path: Path, encoding: Encoding) -> str:
    """The one of `, ; tab |` that cuts the first lines most evenly into more than one cell; `,` if none does."""
    with open_text(path, encoding) as stream:
        lines = list(io.StringIO(stream.read(_SNIFF_CHARACTERS), newline=""))
    whole = lines[:-1] if len(lines) > 1 else lines  # the last may be cut off
    return max(DELIMITERS, key=lambda delimiter: _evenness(whole, delimiter))


def _evenness(lines: list[str], delimiter: str) -> float:
    _allow_long_cells()
    widths = [len(cells) for cells in islice(csv.reader(lines, delimiter=delimiter), 200) if cells]
    return widths.count(widths[0]) / len(widths) if widths and widths[0] > 1 else 0.0


def rows_of(path: Path, encoding: Encoding, layout: Layout) -> Iterator[Row | BadRow]:
    """Stream the rows of a delimited file; each has the line on which it starts.

    Raises:
        UserError: the header cannot be used, or there is no row below it.
    """
    with open_text(path, encoding) as stream:
        records = _records(stream, layout)
        columns = _columns(path, records, layout)
        n_rows = 0
        for record in records:
            n_rows += 1
            if isinstance(record, BadRow):
                yield record
                continue
            line, cells = record
            if len(cells) == len(columns):
                yield Row(line, dict(zip(columns, cells, strict=True)))
            else:
                yield BadRow(line, _ragged(len(cells), len(columns), layout))
    if not n_rows:
        raise UserError(f"{path}: there is only a header, no rows." if layout.has_header else f"{path}: has no rows.")


def _columns(path: Path, records: Iterator[tuple[int, list[str]] | BadRow], layout: Layout) -> list[str]:
    if not layout.has_header:
        return list(layout.names)
    header = next(records, None)
    if header is None:
        raise UserError(f"{path}: the file holds only blank lines.")
    if isinstance(header, BadRow):
        raise UserError(f"{path}:{header.line}: the header cannot be read: {header.problem}")
    line, cells = header
    if layout.names:
        if len(layout.names) != len(cells):
            raise UserError(f"{path}:{line}: the header has {len(cells)} cells, but `names` has {len(layout.names)}.")
        return list(layout.names)
    columns = [cell.strip() for cell in cells]
    _check_header(f"{path}:{line}", columns)
    return columns


def _check_header(where: str, columns: list[str]) -> None:
    seen: set[str] = set()
    for position, name in enumerate(columns, 1):
        if not name:
            raise UserError(
                f"{where}: column {position} of the header has no name; give it one, remove it (pandas leaves "
                "its index out with to_csv(index=False)), or name all columns with `names`."
            )
        if name in seen:
            raise UserError(f"{where}: the header names the column '{name}' twice; give each column a name of its own.")
        seen.add(name)


def _ragged(n_cells: int, n_columns: int, layout: Layout) -> str:
    found = f"the row has {_counted(n_cells, 'cell')} where the file has {_counted(n_columns, 'column')}"
    if n_cells < n_columns:
        return f"{found}; add the missing cells (they may be empty)."
    if layout.is_quoted:
        return f"{found}; put a cell that holds the delimiter ({layout.delimiter_name()}) in double quotes."
    return f"{found}; remove the surplus delimiter ({layout.delimiter_name()})."


def _counted(n: int, noun: str) -> str:
    return f"{n:,} {noun}{'' if n == 1 else 's'}"


def _records(stream: io.TextIOBase, layout: Layout) -> Iterator[tuple[int, list[str]] | BadRow]:
    """(first line, cells) of every record that is not blank; a record that cannot be read comes as a `BadRow`."""
    _allow_long_cells()
    lines = _RecordLines(stream)
    reader = csv.reader(
        lines,
        delimiter=layout.delimiter,
        quoting=csv.QUOTE_MINIMAL if layout.is_quoted else csv.QUOTE_NONE,
        strict=True,
    )
    while True:
        lines.record.clear()
        try:
            for cells in reader:
                line = lines.n_read - len(lines.record) + 1
                if cells:
                    yield BadRow(line, _too_long()) if _has_long_cell(lines.record, cells) else (line, cells)
                lines.record.clear()
            return
        except BadLine as problem:
            yield BadRow(lines.n_read, str(problem))
        except csv.Error as error:
            yield _quoting_fault(lines, layout, str(error))
            if "expected after" not in str(error) and len(lines.record) > 1:
                return  # an open quote: what it swallowed, and what follows, cannot be told apart


class _RecordLines:
    """Feeds lines to the csv reader and keeps those of the record being read, to explain a fault in it."""

    def __init__(self, stream: io.TextIOBase) -> None:
        self._stream = stream
        self.n_read = 0
        self.record: list[str] = []

    def __iter__(self) -> _RecordLines:
        return self

    def __next__(self) -> str:
        self.n_read += 1
        line = read_line(self._stream)
        if not line:
            self.n_read -= 1
            raise StopIteration
        self.record.append(line)
        return line


def _has_long_cell(record: list[str], cells: list[str]) -> bool:
    """Whether a cell passes the limit. The csv module's own limit, shared by the process, may have been set higher."""
    return (len(record) > 1 or len(record[0]) > CELL_LIMIT) and max(map(len, cells)) > CELL_LIMIT


def _quoting_fault(lines: _RecordLines, layout: Layout, error: str) -> BadRow:
    """The csv module's complaint about the record in `lines`, told from the line on which its faulty cell opens."""
    first = lines.n_read - len(lines.record) + 1
    is_long = "field larger" in error
    if is_long and len(lines.record) == 1:
        return BadRow(first, _too_long())
    opened = first + _line_of_faulty_quote("".join(lines.record), layout.delimiter)
    if is_long or "unexpected end" in error:
        size = f"within {CELL_LIMIT:,} characters" if is_long else "before the file ends"
        return BadRow(
            opened,
            f"a double quote opens a cell here that is not closed {size}, so nothing after it was read; "
            'close the quote, or write a quote that belongs to the text twice ("").',
        )
    closed = "" if opened == lines.n_read else f" on line {lines.n_read}"
    return BadRow(
        opened,
        f"a cell that a double quote opens here goes on after its closing quote{closed}; "
        'write a quote that belongs to the text twice ("").',
    )


def _too_long() -> str:
    return f"a cell has over {CELL_LIMIT:,} characters; shorten it, or remove the row."


def _line_of_faulty_quote(record: str, delimiter: str) -> int:
    """How many line ends stand before the first quoted cell that is not closed rightly (RFC 4180, §2.5–2.7)."""
    position, opened = 0, 0
    while position < len(record):
        if record[position] == '"':
            opened, position = position, _after_quoted(record, position)
            if record[position : position + 1] not in ("", "\r", "\n", delimiter):
                break
        cut = record.find(delimiter, position)
        position = len(record) if cut == -1 else cut + 1
    return line_ends(record, 0, opened)


def _after_quoted(record: str, opened: int) -> int:
    """Position after the quote that closes the cell opened at `opened`; the record's end if none does."""
    position = opened + 1
    while (closed := record.find('"', position)) != -1:
        if record[closed + 1 : closed + 2] != '"':
            return closed + 1
        position = closed + 2
    return len(record)


def _allow_long_cells() -> None:
    """The csv module's limit is one for the process and starts at 131,072: raise it, never lower another's."""
    if csv.field_size_limit() < CELL_LIMIT:
        csv.field_size_limit(CELL_LIMIT)


def check_names(has_header: bool, names: tuple[str, ...]) -> None:
    """Raise `ValueError` unless the columns will have names, each its own."""
    if not has_header and not names:
        raise ValueError("without a header, `names` must name the columns, e.g. names: [text, label]")
    twice = next((name for position, name in enumerate(names) if name in names[:position]), None)
    if twice is not None:
        raise ValueError(f"`names` holds '{twice}' twice; give each column a name of its own")
