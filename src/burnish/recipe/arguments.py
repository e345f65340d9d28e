"""What is said beside the recipe's file: `a.b=c` overrides on the command line, keyword arguments from Python."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from burnish.core.errors import Faults, UserError, hint
from burnish.recipe.document import Document, Place
from burnish.recipe.outline import Trail, dotted, field_at, shelf_of, walk
from burnish.recipe.schema import Recipe
from burnish.recipe.syntax import parse, plain

_OVERRIDE = re.compile(r"([A-Za-z_]\w*(?:\.[^.=\s]+)*)=(.*)", re.DOTALL)
_SECTIONS = ("data", "train", "judge")


def is_override(word: str) -> bool:
    """Whether a word of a command line reads like `a.b=c`, so that it is no path."""
    return _OVERRIDE.fullmatch(word) is not None


def from_overrides(overrides: Sequence[str], below: Document, faults: Faults) -> Document:
    """`below` with every override laid over it. A value is read as YAML would read it there."""
    document = below
    for override in overrides:
        found = _OVERRIDE.fullmatch(override)
        if found is None:
            faults.add(f"override '{override}': must read key=value, such as train.epochs=3.")
            continue
        trail, place = tuple(found[1].split(".")), Place(label=f"override '{override}'")
        try:
            said = _said(found[2], place, trail, faults)
            document = document.under(_at(trail, said, document))
        except UserError as error:
            faults.add(str(error))
    return document


def from_fields(fields: Mapping[str, Any], faults: Faults) -> Document:
    """Keyword arguments as a document. A keyword is the last word of its recipe path; None says nothing.

    `train`, `dev` and `test` are rows; `epochs=3` is `train.epochs`; `text_column="t"` is `data.columns.text`.
    """
    document = Document()
    homes = keywords()
    for word, value in fields.items():
        if value is None:
            continue
        trail: Trail | None = homes.get(word)
        if trail is None and word.endswith("_column"):
            trail = ("data", "columns", word.removesuffix("_column"))
        if trail is None:
            faults.add(f"argument '{word}': is not a setting of a recipe.{hint(word, homes)}")
            continue
        place = Place(label=f"argument '{word}'")
        document = document.under(Document(_nested(trail, value), {trail: place}))
    return document


def keywords() -> dict[str, Trail]:
    """Every keyword argument of the verbs → the recipe path it stands for."""
    homes: dict[str, Trail] = {}
    for trail, _ in walk(Recipe):
        is_section = trail[0] in _SECTIONS and len(trail) == 1
        if not is_section and len(trail) <= 2:
            homes[str(trail[-1])] = trail
    return {word: trail for word, trail in homes.items() if word != "schema"}


def _said(text: str, place: Place, trail: Trail, faults: Faults) -> Document:
    """An override's value. Only what opens a bracket or a quote is parsed: `>= 0.95` and `a: b` are just text."""
    text = text.strip()
    if text[:1] in ("[", "{", '"', "'"):
        return parse(text, place, faults, trail)
    value = plain(text)
    is_plain = value is None or isinstance(value, str)
    return Document(value, {trail: place}, {} if is_plain else {trail: text})


def _at(trail: Trail, said: Document, below: Document) -> Document:
    """`said` at its place in a recipe. A part that was only named becomes a mapping, so that it can take settings."""
    values: Any = below.values
    outer: list[tuple[Trail, str]] = []
    for depth, step in enumerate(trail[:-1], start=1):
        values = values.get(step) if isinstance(values, dict) else None
        if values is None or isinstance(values, dict):
            continue
        field = field_at(trail[:depth], below.values)
        if not (isinstance(values, str) and field is not None and shelf_of(field)):
            what = "a list; give the whole list" if isinstance(values, list) else f"'{values}', not a mapping"
            place = said.place(trail)
            raise UserError(f"{place}: sets a key inside {dotted(trail[:depth])}, which is {what}.")
        outer.append((trail[:depth], values))
    nested = _nested(trail, said.values)
    for part_trail, name in outer:
        inner: Any = nested
        for step in part_trail:
            inner = inner[step]
        inner.setdefault("name", name)
    return Document(nested, said.places, said.texts)


def _nested(trail: Trail, value: Any) -> dict[str, Any]:
    for step in reversed(trail):
        value = {step: value}
    return value  # type: ignore[no-any-return]
