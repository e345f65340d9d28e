"""What pydantic found wrong with a recipe, as sentences for the person who wrote it.

One sentence a fault: where (file:line), which setting, what it must be, what was got, and the nearest allowed
word. The library's own words never reach the user.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from burnish.core.errors import hint, listed
from burnish.recipe.document import Document, Place, has, said_at
from burnish.recipe.environment import Expansion, masked
from burnish.recipe.outline import Trail, dotted, field_at, fields_of, model_at, paths_ending_in

_MUST = {
    "greater_than": "be greater than {gt}",
    "greater_than_equal": "be {ge} or more",
    "less_than": "be less than {lt}",
    "less_than_equal": "be {le} or less",
    "finite_number": "be a finite number",
    "multiple_of": "be a multiple of {multiple_of}",
    "int_parsing": "be a whole number",
    "int_parsing_size": "be a whole number of at most 18 digits",
    "int_type": "be a whole number",
    "int_from_float": "be a whole number",
    "float_parsing": "be a number",
    "float_type": "be a number",
    "bool_parsing": "be true or false",
    "bool_type": "be true or false",
    "string_type": "be text",
    "list_type": "be a list, such as [a, b]",
    "tuple_type": "be a list, such as [a, b]",
    "dict_type": "be a mapping, such as {{key: value}}",
    "model_type": "be a mapping of settings, such as {{key: value}}",
    "too_short": "have at least {min_length} entries",
    "too_long": "have at most {max_length} entries",
    "string_too_short": "have at least {min_length} characters",
    "string_pattern_mismatch": "match the pattern {pattern}",
}
_SHOWN_CHARACTERS = 60


def sentences(error: ValidationError, document: Document, expansions: Mapping[Trail, Expansion]) -> list[str]:
    """Every fault, in the order of the lines they stand on."""
    found: list[tuple[Place, str]] = []
    for details in error.errors(include_url=False):
        trail = _trail_of(details, document.values)
        place = document.place(trail)
        problem = masked(_problem(details, trail, document), trail, expansions)
        said = said_at(place, problem)
        if (place, said) not in found:
            found.append((place, said))
    return [said for _, said in sorted(found, key=lambda item: (str(item[0].file or ""), item[0].line or 0))]


def shown(value: Any) -> str:
    """A value inside a sentence, as YAML would write it, cut when it is long."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN_CHARACTERS else value[:_SHOWN_CHARACTERS] + "…"
        return f"'{cut}'"
    if isinstance(value, int | float):
        return f"{value}"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"a value of the Python type {type(value).__name__}"


def _trail_of(details: ErrorDetails, values: Any) -> Trail:
    """The error's location without the steps that the library adds (names of union members, `[key]`)."""
    trail: list[str | int] = []
    last = len(details["loc"]) - 1
    for number, step in enumerate(details["loc"]):
        is_there = has(values, step)
        if is_there or (details["type"] == "missing" and number == last):
            trail.append(step)
        if is_there:
            values = values[step]
    return tuple(trail)


def _problem(details: ErrorDetails, trail: Trail, document: Document) -> str:
    kind, path = details["type"], dotted(trail) or "the recipe"
    if kind in {"missing", "extra_forbidden", "invalid_key"}:
        return _about_a_key(kind, trail, document)
    if kind == "value_error":
        return _own_words(path, str(details["ctx"]["error"]))
    wanted = demand(details)
    return f"{path} {wanted}" if wanted else f"{path}: {details['msg']}; got {shown(details['input'])}."


def demand(details: ErrorDetails) -> str | None:
    """How a sentence about a wrong value goes on after its path: `must be true or false; got 'perhaps'.`"""
    kind, got, context = details["type"], details["input"], details.get("ctx", {})
    if kind == "literal_error":
        words = _words(context)
        return f"must be one of {listed(words)}; got {shown(got)}.{hint(str(got), words)}"
    return f"must {_MUST[kind].format(**_short(context))}; got {shown(got)}." if kind in _MUST else None


def _about_a_key(kind: str, trail: Trail, document: Document) -> str:
    if kind == "missing":
        return f"{dotted(trail)} is missing{_meaning(trail, document)}."
    if kind == "invalid_key":
        return f"{dotted(trail[:-1]) or 'the recipe'} has the key {shown(trail[-1])}, which must be text."
    return _unknown_key(trail, document)


def _own_words(path: str, text: str) -> str:
    """What a validator of ours said: it goes on after the path, or is a sentence of its own."""
    goes_on = text.startswith(("must ", "has ", "is ", "cannot ", "needs "))
    said = f"{path} {text}" if goes_on else f"{path}: {text}"
    return said if said.endswith((".", "?")) else f"{said}."


def _unknown_key(trail: Trail, document: Document) -> str:
    key, model = str(trail[-1]), model_at(trail[:-1], document.values)
    allowed = list(fields_of(model)) if model else []
    near = hint(key, allowed)
    elsewhere = [] if near else paths_ending_in(key)
    if elsewhere:
        near = f" Did you mean '{elsewhere[0]}'?"
    inside = "a recipe" if len(trail) == 1 else dotted(trail[:-1])
    takes = f"{inside} takes: {listed(allowed)}" if allowed else f"{inside} takes no settings"
    return f"{dotted(trail)} is not a setting.{near} {takes[0].upper() if len(trail) == 1 else takes[0]}{takes[1:]}."


def _meaning(trail: Trail, document: Document) -> str:
    field = field_at(trail, document.values)
    first = (field.description or "").split("\n")[0].rstrip(".") if field else ""
    return f"; it says: {first[:1].lower()}{first[1:]}" if first else ""


def _words(context: Mapping[str, Any]) -> list[str]:
    """The allowed words of a Literal, from the library's `'a', 'b' or 'c'`."""
    return [word.strip().strip("'") for word in str(context["expected"]).replace(" or ", ", ").split(", ")]


def _short(context: Mapping[str, Any]) -> dict[str, Any]:
    """Bounds without `.0`: they are floats to the library even where the setting is whole."""
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() else value for key, value in context.items()
    }
