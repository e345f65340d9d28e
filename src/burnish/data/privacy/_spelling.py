"""How numbers are written: what stands before, between and behind their digits in a shadow."""

from __future__ import annotations

import re

GAP = r"[ \n-]"
"""What may stand between two digits of one number; a piece of a regular expression, as the next two are."""
ALONE = (
    r"(?<![0-9_].)(?:(?<![0-9][.].)|(?<=[0-9]{7}[.].))"
    r"(?:(?<![A-Za-z].)|(?<=(?i:id|no|el|ne|ob|ll|rd|er|at|is).))"  # Tel138…, ID1101…
)
"""Behind the first character of a number: neither a word nor a decimal point goes before it, unless it is a cue."""
ENDED = r"(?![0-9A-Za-z_]|[.][0-9](?![0-9]{6})|[*^]|[ ]?[%元块圆万亿])"
"""Behind the last character of a number: it goes on neither as a word nor as an amount or a term."""

_GAPS = re.compile(r"[ \n.-]")


def plain(number: str) -> str:
    """A number without the separators between its groups."""
    return number.replace(" ", "").replace("-", "").replace("\n", "").replace(".", "")


def groups(number: str) -> list[int]:
    """How many characters each group of a number has."""
    return [len(group) for group in _GAPS.split(number)]


def is_of_one_style(number: str) -> bool:
    """Whether one sort of separator stands between all groups, but for at most one line break."""
    gaps = _GAPS.findall(number)
    return gaps.count("\n") <= 1 and len({*gaps} - {"\n"}) <= 1
