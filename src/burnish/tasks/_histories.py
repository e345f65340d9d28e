"""Ids in a cell: a list, the same in JSON, or a text with commas, bars or spaces between them."""

from __future__ import annotations

import re
from typing import Any

import orjson

from burnish.tasks._rows import is_missing

SEPARATORS = re.compile(r"[\s,，、;；|]+")


def ids_of(value: Any, column: str) -> list[str]:
    """The ids in their order; none where the cell is empty.

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
