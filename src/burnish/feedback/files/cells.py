"""Cells of a spreadsheet that hold somebody's text: never run as a formula, and read back as they were.

A cell that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, "CSV Injection"); so does one
that only looks as if it had been given one, so that reading takes away exactly what writing put there. What no CSV file
can hold is written as JSON behind a mark; so is a text that would fall apart into a formula where a spreadsheet cuts
cells at semicolons, as it does in half of Europe.
"""

from __future__ import annotations

import json
import re

_STARTS = "=+\\-@\\t\\r\\n＝＋－＠﹦﹢﹣﹫"  # some programs read full-width and small forms as = + - @
_BLANK = "\\s\\u00ad\\u200b-\\u200f\\u2060-\\u2064\\ufeff"  # and pass over these before them
_MARK = "'json:"
_DANGEROUS = re.compile(f"'*[{_BLANK}]*[{_STARTS}]|'+json:")
_ESCAPED = re.compile("[;|\\ud800-\\udfff]")
_UNHELD = re.compile("[\\x00\\ud800-\\udfff]")
_FALLS_APART = re.compile(f"[;|\\t\\r\\n][{_BLANK}\"']*[{_STARTS}]")


def guarded(text: str) -> str:
    """The text as a cell may hold it."""
    if _UNHELD.search(text) or _FALLS_APART.search(text):
        return _MARK + _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text, ensure_ascii=False))
    return f"'{text}" if _DANGEROUS.match(text) else text


def plain(cell: str) -> str:
    """The text that a cell was made of; a cell that no guard touched is the text."""
    if cell.startswith(_MARK):
        try:
            text = json.loads(cell.removeprefix(_MARK))
        except ValueError:
            return cell
        return text if isinstance(text, str) else cell
    return cell[1:] if cell.startswith("'") and _DANGEROUS.match(cell) else cell
