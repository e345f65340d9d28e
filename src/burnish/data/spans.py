"""Labelled spans of a text, from the forms in which annotation tools and corpora write them.

Every form ends as (start, end, label): characters of the text counted from 0, end exclusive.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, SupportsIndex

TextSpan = tuple[int, int, str]

_STARTS = ("start", "start_offset")
_ENDS = ("end", "end_offset")
_LABELS = ("label", "labels", "entity", "entity_group", "type")
COUNTED = "offsets count characters from 0, not bytes, and the end is exclusive"


def parse_spans(value: Any, text: str) -> list[TextSpan]:
    """The spans that `value` gives for `text`, in order of their start.

    Read are: None or nothing at all; `[[start, end, label], …]` (doccano); `[{start, end, label}, …]` with `label`,
    `type` or `entity`, and `text` if the form has it (Label Studio's `{value: {…, labels: [x]}}` and doccano's
    `start_offset` too); `{label: {surface: [[start, end], …]}}` (CLUENER, end inclusive); or any of these as JSON in a
    string. Where the form gives the surface text, that decides whether the end is inclusive.

    Raises:
        ValueError: a form that is none of these, a span that leaves the text or is empty, two that overlap, no label,
            or a surface that is not what the text has there. The message goes on after `file:line: `.
    """
    spans = sorted(_checked(item, text) for item in _items(_decoded(value)))
    for first, second in pairwise(spans):
        if second[0] < first[1]:
            raise ValueError(f"the spans {_shown(first, text)} and {_shown(second, text)} overlap; keep one of them.")
    return spans


Item = tuple[Any, Any, Any, str | None]
"""(start, end, label, surface), not yet checked"""


def _decoded(value: Any) -> Any:
    """JSON out of a cell of csv or tsv, lists out of an array; anything else as it is."""
    if not isinstance(value, str):
        return value.tolist() if hasattr(value, "tolist") else value
    try:
        return json.loads(value) if value.strip() else None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"the spans are not JSON ({error}); write [[start, end, label], …].") from None


def _items(value: Any) -> Iterator[Item]:
    if value is None:
        return
    if isinstance(value, Mapping):
        yield from _by_label(value)
    elif _is_list(value):
        for item in value:
            yield _of_mapping(item) if isinstance(item, Mapping) else _of_list(item)
    else:
        raise ValueError(f"the spans are {value!r}, not a list; write [[start, end, label], …].")


def _by_label(value: Mapping[Any, Any]) -> Iterator[Item]:
    """CLUENER 2020: `{"name": {"彭小军": [[0, 2]]}}`."""
    for label, surfaces in value.items():
        if not isinstance(surfaces, Mapping):
            raise ValueError(f"the spans of '{label}' are {surfaces!r}; write {{label: {{surface: [[start, end]]}}}}.")
        for surface, places in surfaces.items():
            yield from (_of_place(place, label, str(surface)) for place in (places if _is_list(places) else [places]))


def _of_place(place: Any, label: Any, surface: str) -> Item:
    if not _is_list(place) or len(place) != 2:
        raise ValueError(f"the span {place!r} of '{surface}' is not [start, end].")
    return place[0], place[1], label, surface


def _of_mapping(item: Mapping[str, Any]) -> Item:
    inner = item["value"] if isinstance(item.get("value"), Mapping) else item
    found = [_first(inner, names) for names in (_STARTS, _ENDS, _LABELS)]
    start, end, label = found
    if _is_list(label):
        if len(label) != 1:
            raise ValueError(f"the span {dict(item)!r} has {len(label)} labels; give it exactly one.")
        label = label[0]
    return start, end, label, inner.get("text")


def _of_list(item: Any) -> Item:
    if not _is_list(item) or len(item) != 3:
        raise ValueError(f"the span {item!r} is not [start, end, label].")
    return item[0], item[1], item[2], None


def _first(item: Mapping[str, Any], names: Sequence[str]) -> Any:
    """The value of the first of `names` that `item` has."""
    for name in names:
        if name in item:
            return item[name]
    raise ValueError(f"the span {dict(item)!r} has no '{names[0]}'; it has: {', '.join(map(str, item))}.")


def _checked(item: Item, text: str) -> TextSpan:
    start, end, label, surface = whole_offset(item[0]), whole_offset(item[1]), item[2], item[3]
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"the span [{start}, {end}] has no label (got {label!r}).")
    if surface is not None:
        end = _end_of(start, end, label, surface, text)
    if start >= end:
        raise ValueError(f"the span [{start}, {end}] '{label}' is empty: its end must lie after its start ({COUNTED}).")
    if start < 0 or end > len(text):
        raise ValueError(
            f"the span [{start}, {end}] '{label}' leaves the text, which has {len(text)} characters; {COUNTED}."
        )
    return start, end, label


def whole_offset(number: Any) -> int:
    """An offset as an int; tables store ints as floats when a cell is empty elsewhere."""
    if isinstance(number, SupportsIndex) and not isinstance(number, bool):  # numpy's integers too
        return int(number)
    if isinstance(number, float) and number.is_integer():
        return int(number)
    raise ValueError(f"the offset {number!r} is not a whole number.")


def _end_of(start: int, end: int, label: str, surface: str, text: str) -> int:
    """The exclusive end: whichever reading of `end` makes the text say `surface`."""
    for exclusive in (end, end + 1):
        if 0 <= start < exclusive and text[start:exclusive] == surface:
            return exclusive
    there = text[max(start, 0) : max(end, 0)]
    raise ValueError(
        f"the span [{start}, {end}] '{label}' should be '{surface}', but the text has '{there}' there; {COUNTED}."
    )


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)


def _shown(span: TextSpan, text: str) -> str:
    return f"[{span[0]}, {span[1]}] '{span[2]}' ('{text[span[0] : span[1]]}')"
