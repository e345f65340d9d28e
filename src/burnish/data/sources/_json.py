"""Strict JSON: what Python's parser lets pass although it loses or invents data is refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any, NoReturn

_SPACE = re.compile(r"[ \t\n\r]*")
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class BadJson(Exception):
    """JSON that cannot be used. `position` is the character where, or None when only the value is known."""

    def __init__(self, problem: str, position: int | None = None) -> None:
        self.problem = problem
        self.position = position
        super().__init__(problem)


def parse(text: str, position: int = 0) -> tuple[Any, int]:
    """The JSON value at `position` (past white space) and the position after it.

    Raises:
        BadJson: not JSON, a key twice in one object, NaN or Infinity, half a surrogate pair, too deep or too large.
    """
    start = skip_space(text, position)
    try:
        value, end = _DECODER.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise BadJson(f"not JSON ({error.msg})", error.pos) from None
    except RecursionError:
        raise BadJson("the JSON is nested too deeply") from None
    except ValueError as error:  # int() refuses thousands of digits
        raise BadJson(f"the JSON holds a number that is too long ({error})") from None
    if _SURROGATE.search(text, start, end):
        _refuse_half_pairs(value)
    return value, end


def parse_line(text: str) -> Any:
    """The one JSON value that a line holds. Raises `BadJson`."""
    value, end = parse(text)
    if skip_space(text, end) != len(text):
        raise BadJson("something follows the JSON value", end)
    return value


def elements(text: str, position: int, is_last: bool) -> Iterator[tuple[int, Any]]:
    """Position and value of each element of the array that opens at `position`, one in memory at a time.

    `is_last` says that nothing may follow the array. Raises `BadJson`, always with a position.
    """
    position = skip_space(text, position + 1)
    while text[position : position + 1] != "]":
        try:
            value, end = parse(text, position)
        except BadJson as error:
            error.position = position if error.position is None else error.position
            raise
        yield position, value
        position = _next_item(text, end, "]")
    if is_last:
        refuse_more(text, position + 1)


def members(text: str, position: int, is_last: bool = True) -> dict[str, int]:
    """Where the value of each key of the object that opens at `position` starts. Checks the whole object.

    `is_last` says that nothing may follow the object.
    """
    found: dict[str, int] = {}
    position = skip_space(text, position + 1)
    while text[position : position + 1] != "}":
        key, end = parse(text, position)
        colon = skip_space(text, end)
        if not isinstance(key, str) or text[colon : colon + 1] != ":":
            raise BadJson("not JSON (expected a key in double quotes, then a colon)", position)
        if key in found:
            raise BadJson(f"the key '{key}' stands twice in one object", position)
        found[key] = skip_space(text, colon + 1)
        position = _next_item(text, parse(text, colon + 1)[1], "}")
    if is_last:
        refuse_more(text, position + 1)
    return found


def refuse_more(text: str, position: int) -> None:
    """Raise `BadJson` when anything but white space follows `position`."""
    rest = skip_space(text, position)
    if rest != len(text):
        raise BadJson("something follows the end of the JSON value", rest)


def skip_space(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position


def _next_item(text: str, end: int, closing: str) -> int:
    """Position of the next item after one that ends at `end`, or of the closing bracket."""
    position = skip_space(text, end)
    if text[position : position + 1] == closing:
        return position
    if text[position : position + 1] != ",":
        raise BadJson(f"not JSON (expected ',' or '{closing}')", position)
    following = skip_space(text, position + 1)
    if text[following : following + 1] == closing:
        raise BadJson(f"not JSON (a comma stands before '{closing}')", position)
    return following


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for position, key in enumerate(keys) if key in keys[:position])
        raise BadJson(f"the key '{twice}' stands twice in one object")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise BadJson(f"{name} is not a JSON value; write null, or leave the key out")


def _finite(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        raise BadJson(f"the number {digits} is too large")
    return value


def _refuse_half_pairs(value: Any) -> None:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise BadJson(f"the text holds {half}, half of a surrogate pair, which is not a character") from None


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant, parse_float=_finite)
