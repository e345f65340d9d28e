"""Two marked entities of a text, from the forms in which corpora give them.

Both forms end as characters of the plain text, counted from 0, end exclusive.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from itertools import product
from typing import Any, NamedTuple

from burnish.data.spans import COUNTED, whole_offset

MARKS = ("<e1>", "</e1>", "<e2>", "</e2>")
_MARK = re.compile("(</?e[12]>)")
_OFFSETS = re.compile(r"\s*\[\s*(-?\d+)\s*,\s*(-?\d+)\s*\]\s*")

Span = tuple[int, int]


class Entities(NamedTuple):
    """A text and two pieces of it that lie apart. `note` tells what was decided where the row leaves it open."""

    text: str
    head: Span
    tail: Span
    note: str | None = None


def marked_entities(text: str) -> Entities:
    """The entities of a text with `<e1>…</e1>` (head) and `<e2>…</e2>` (tail) in it; the marks are taken out.

    Raises:
        ValueError: a mark is missing, stands twice or behind its end, or the two overlap. The message goes on after
            `file:line: `.
    """
    for mark in MARKS:
        if (n := text.count(mark)) != 1:
            raise ValueError(
                f"the text has the mark {mark} {n} times; mark each entity once, as <e1>…</e1> and <e2>…</e2>, or give "
                "both in the columns 'head' and 'tail'."
            )
    plain, at = "", dict[str, int]()
    for piece in _MARK.split(text):
        if piece in MARKS:
            at[piece] = len(plain)
        else:
            plain += piece
    head, tail = ((at[f"<{name}>"], at[f"</{name}>"]) for name in ("e1", "e2"))
    return _apart(plain, _checked("head", head, plain), _checked("tail", tail, plain))


def placed_entities(text: str, head: Any, tail: Any) -> Entities:
    """The entities of a plain text, each given as [start, end] or by its own words.

    Of words that stand in the text several times the first place is taken that lies apart from the other entity.

    Raises:
        ValueError: an entity is missing, not in the text, empty or reversed, or the two overlap. The message goes on
            after `file:line: `.
    """
    heads, tails = (_places(name, value, text) for name, value in (("head", head), ("tail", tail)))
    for one, other in product(heads, tails):
        if _is_apart(one, other):
            notes = [*_several("head", one, other, heads, text), *_several("tail", other, one, tails, text)]
            return Entities(text, one, other, " ".join(notes) or None)
    return _apart(text, heads[0], tails[0])


def _places(name: str, value: Any, text: str) -> list[Span]:
    """Where an entity may stand: the place that is given, or every place of its words."""
    value = value.tolist() if hasattr(value, "tolist") else value
    if isinstance(value, str) and (found := _OFFSETS.fullmatch(value)):
        value = [int(found[1]), int(found[2])]
    if is_blank(value):
        raise ValueError(f"'{name}' is empty; give the entity as [start, end] or by its own words.")
    if isinstance(value, str):
        places = [found.span() for found in re.finditer(re.escape(value), text)]
        if not places:
            raise ValueError(f"the {name} '{value}' is not in the text; write it as the text does, or as [start, end].")
        return places
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"'{name}' is {value!r}, neither [start, end] nor the entity's own words.")
    return [_checked(name, (whole_offset(value[0]), whole_offset(value[1])), text)]


def is_blank(value: Any) -> bool:
    """Whether a cell holds nothing: None, NaN (as pandas writes it) or white space."""
    return (
        value is None
        or (isinstance(value, float) and math.isnan(value))
        or (isinstance(value, str) and not value.strip())
    )


def _checked(name: str, span: Span, text: str) -> Span:
    start, end = span
    if end < start:
        raise ValueError(f"the {name} [{start}, {end}] is reversed: it ends before it starts.")
    if start < 0 or end > len(text):
        raise ValueError(f"the {name} [{start}, {end}] leaves the text, which has {len(text)} characters; {COUNTED}.")
    if not text[start:end].strip():
        raise ValueError(f"the {name} [{start}, {end}] is empty; {COUNTED}.")
    return span


def _apart(text: str, head: Span, tail: Span) -> Entities:
    if not _is_apart(head, tail):
        raise ValueError(
            f"the head {_shown(head, text)} and the tail {_shown(tail, text)} overlap; the two entities must lie apart."
        )
    return Entities(text, head, tail)


def _is_apart(one: Span, other: Span) -> bool:
    return one[1] <= other[0] or other[1] <= one[0]


def _several(name: str, taken: Span, other: Span, places: list[Span], text: str) -> Iterator[str]:
    """A note where an entity has more than one place apart from the other."""
    n_places = sum(_is_apart(place, other) for place in places)
    if n_places > 1:
        yield f"the {name} '{text[slice(*taken)]}' stands {n_places} times in the text; the first is taken."


def _shown(span: Span, text: str) -> str:
    return f"[{span[0]}, {span[1]}] '{text[slice(*span)]}'"
