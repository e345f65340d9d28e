"""Tables on stdout, and moments as people read them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns of equal width, without lines. A Chinese character is as wide as two others."""
    from rich.cells import cell_len

    cells = [[*headings], *([one_line(value) for value in row] for row in rows)]
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(padded).rstrip())


def moment(at: float | None) -> str:
    """A time in this machine's zone; empty where there is none."""
    return "" if at is None else datetime.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def one_line(value: object) -> str:
    """On one line, and without what a terminal would obey: some of it was sent by anybody."""
    return printable("" if value is None else " ".join(str(value).split()))


def printable(text: str) -> str:
    """Text without what a terminal would obey."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
