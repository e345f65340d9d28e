"""Texts as both databases can hold them: SQLite and PostgreSQL want UTF-8, and PostgreSQL no NUL."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import orjson

REPLACEMENT = "\ufffd"
_OPTIONS = orjson.OPT_SERIALIZE_NUMPY


def plain(text: str) -> str:
    """A text without NUL and without halves of characters (lone surrogates), each replaced by U+FFFD."""
    text = text.replace("\0", REPLACEMENT)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_of(value: Any, options: int = 0) -> bytes:
    """A value as JSON; numpy arrays and dataclasses are allowed."""
    try:
        return orjson.dumps(value, option=_OPTIONS | options)
    except TypeError as error:
        if "surrogates" not in str(error):
            raise
        return orjson.dumps(_plain_within(value), option=_OPTIONS | options)


def _plain_within(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        value = {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, dict):
        return {_plain_within(name): _plain_within(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain_within(one) for one in value]
    return plain(value) if isinstance(value, str) else value
