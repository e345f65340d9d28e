"""A rulebook in YAML: every fault with its line, as in a recipe."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.shelves import Shelf
from burnish.recipe.document import Document, Place, has, said_at
from burnish.recipe.faults import demand, shown
from burnish.recipe.outline import Trail, dotted
from burnish.recipe.syntax import parse

MAX_BYTES = 1 << 18
Book = TypeVar("Book", bound=BaseModel)
EXAMPLE = "`rules: [{watch: label_mix, streak: 2}]`"


def read_rules(book: type[Book], path: Path) -> Book:
    """The rulebook in a file.

    Raises:
        UserError: it cannot be read, is not YAML, or some rules are wrong.
    """
    faults = Faults()
    document = parse(_text_of(path), Place(path), faults)
    faults.raise_if_any()
    if not isinstance(document.values, dict):
        raise UserError(f"{path}: must be a mapping with the rules, such as {EXAMPLE}.")
    return _validated(book, document)


def checked(book: type[Book], given: Mapping[str, Any]) -> Book:
    """The rulebook in a mapping. Raises `UserError` with every fault."""
    return _validated(book, Document(dict(given), {(): Place(label="rulebook")}))


def _validated(book: type[Book], document: Document) -> Book:
    try:
        return book.model_validate(document.values)
    except ValidationError as error:
        faults = Faults()
        for details in error.errors(include_url=False):
            trail = _trail_of(details, document.values)
            faults.add(said_at(document.place(trail), _problem(details, trail, document.values, book)))
        raise faults.error() from None


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}).") from None
    if content is None:
        raise UserError(f"{path}: has more than {MAX_BYTES:,} bytes, so it is no list of rules.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(f"{path}:{line}: is not UTF-8 text (byte {error.start}); save it as UTF-8.") from None


def _trail_of(details: ErrorDetails, values: Any) -> Trail:
    """Where the fault lies in what was written; the last step of a missing setting is not there yet."""
    trail: list[str | int] = []
    for step in details["loc"]:
        if not has(values, step) and details["type"] != "missing":
            break
        trail.append(step)
        values = values[step] if has(values, step) else {}
    return tuple(trail)


def _problem(details: ErrorDetails, trail: Trail, values: Any, book: type[BaseModel]) -> str:
    kind, path = details["type"], dotted(trail)
    if kind == "missing":
        return f"{path} is missing; a rulebook reads like {EXAMPLE}."
    if kind == "extra_forbidden":
        allowed = _settings(trail[:-1], values, book)
        return f"{path} is not a setting.{hint(str(trail[-1]), allowed)} There are: {listed(allowed)}."
    if kind == "value_error":
        said = str(details["ctx"]["error"]).rstrip(".")
        return f"{path}: {said}." if path else f"the rulebook {said}."
    wanted = demand(details)
    return f"{path} {wanted}" if wanted else f"{path}: {details['msg']}; got {shown(details['input'])}."


def _settings(trail: Trail, values: Any, book: type[BaseModel]) -> list[str]:
    """Names of what may stand below `trail`: in the book, in a rule, or among the settings of a watch."""
    if not trail:
        return list(book.model_fields)
    if trail[-1] != "watch":
        return ["watch", "name", "streak", "silence_s", "severity"]
    for step in trail:
        values = values[step]
    return ["name", *Shelf("watches").get(values["name"]).model_fields]
