"""Tables on stdout, and moments as people read them."""

from __future__ import annotations

import datetime
from collections.abc import Sequence


def print_table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Columns of equal width, without lines: for eyes, and for `awk`."""
    cells = [[*headings], *([_told(value) for value in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def moment(at: float | None) -> str:
    """A time in this machine's zone; empty where there is none."""
    return "" if at is None else datetime.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def _told(value: object) -> str:
    return "" if value is None else " ".join(str(value).split())
