"""A row of ranking: a user's history, what was liked next, what was shown; ids become numbers of the catalogue's items.

Ids in a cell are a list, the same in JSON, or a text with commas, bars or spaces between them.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

import orjson

from burnish.data.moments import WANTED, moment_of
from burnish.metrics._ranked import WORDS_SHOWN
from burnish.tasks._catalogue import Catalogue
from burnish.tasks._contract import Example
from burnish.tasks._rows import is_missing

SEPARATORS = re.compile(r"[\s,，、;；|]+")
NOBODY = "(no history)"


def read_row(values: Mapping[str, Any], catalogue: Catalogue, is_labelled: bool) -> Example:
    """The example of a row. Ids that a history has and the catalogue has not are `unknown` where nothing is learned.

    `content` tells copies: the same like at another time, or of another user, is none.

    Raises:
        ValueError: ids that are none or not known, no item, an item that cannot be recommended, a time that is none.
    """
    history, unknown = _numbers(values, "history", catalogue, is_strict=is_labelled)
    among = _numbers(values, "among", catalogue)[0]
    items, negatives = (_numbers(values, name, catalogue)[0] if is_labelled else [] for name in ("item", "negatives"))
    time = _time_of(values.get("time")) if is_labelled else None
    if is_labelled:
        _refuse_contradictions(items, {"negatives": negatives, "history": history, "among": among}, catalogue)
    said = "; ".join(catalogue.texts[number] for number in history[-WORDS_SHOWN:])
    content = repr((values.get("user"), time, items, history, among)).encode("utf-8", "surrogatepass")
    return {
        "text": said or NOBODY,
        "content": hashlib.sha1(content, usedforsecurity=False).hexdigest(),
        "history": history,
        "items": items,
        "negatives": negatives,
        "among": among,
        "time": time,
        "unknown": unknown,
    }


def _numbers(
    values: Mapping[str, Any], column: str, catalogue: Catalogue, is_strict: bool = True
) -> tuple[list[int], list[str]]:
    """Numbers of the items in a cell, each once, and the ids that the catalogue does not have."""
    value, number_of = values.get(column), catalogue.number_of
    if isinstance(value, list) and all(type(name) is str and name in number_of for name in value):
        return list(dict.fromkeys([number_of[name] for name in value])), []  # a log's histories: no need to look closer
    known, unknown = [], []
    for name in ids_of(value, column):
        if name in number_of:
            known.append(number_of[name])
        elif is_strict:
            raise ValueError(catalogue.unknown(name))
        else:
            unknown.append(name)
    return list(dict.fromkeys(known)), unknown


def _refuse_contradictions(items: list[int], others: Mapping[str, list[int]], catalogue: Catalogue) -> None:
    if not items:
        raise ValueError("'item' is empty; give the id of what was liked, or take the row out.")
    if both := set(items) & set(others["negatives"]):
        raise ValueError(f"the item '{catalogue.ids[min(both)]}' is among the 'negatives' too; take it out there.")
    if both := set(items) & set(others["history"]):
        raise ValueError(
            f"the item '{catalogue.ids[min(both)]}' is in the 'history' too, which is not recommended again; "
            "take the row out."
        )
    if others["among"] and (beyond := set(items) - set(others["among"])):
        raise ValueError(f"the item '{catalogue.ids[min(beyond)]}' is not 'among' what may be recommended.")


def _time_of(value: Any) -> float | None:
    """A time as a number; None where there is none."""
    if is_missing(value):
        return None
    try:
        return moment_of(value)[0]
    except (ValueError, OverflowError):
        raise ValueError(f"'time' {value!r} is not {WANTED}.") from None


def ids_of(value: Any, column: str) -> list[str]:
    """The ids in a cell, in their order; none where it is empty.

    Raises:
        ValueError: the cell holds something else.
    """
    if isinstance(value, str):
        value = _parsed(value.strip())
    if isinstance(value, tuple) or hasattr(value, "tolist"):
        value = list(value)
    values = value if isinstance(value, list) else [value]
    return [_id_of(one, column) for one in values if not is_missing(one)]


def _parsed(text: str) -> Any:
    if text.startswith("["):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            text = text.strip("[]")
    return [part for part in SEPARATORS.split(text) if part]


def _id_of(value: Any, column: str) -> str:
    if isinstance(value, float) and value.is_integer():  # a column of numbers with a gap, as pandas keeps it
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise ValueError(f"'{column}' must be an id or a list of ids; got {value!r}.")
    return str(value).strip()
