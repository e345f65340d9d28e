"""The outline of a recipe: which keys stand where, and which of them name parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Annotated, Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.recipe.schema import Recipe

Trail = tuple[str | int, ...]
"""Where a value stands in a recipe, e.g. `("train", "observers", 0, "name")`."""


def dotted(trail: Trail) -> str:
    """`train.observers[0].name`, as messages write it."""
    text = ""
    for step in trail:
        text += f"[{step}]" if isinstance(step, int) else f".{step}"
    return text.removeprefix(".")


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Key in a recipe → field, in the order of the schema."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def shelf_of(field: FieldInfo) -> Shelf | None:
    """The shelf that a field takes its part (or list of parts) from; None for any other field."""
    metadata = list(field.metadata)
    for inner in get_args(field.annotation):
        if get_origin(inner) is Annotated:
            metadata.extend(inner.__metadata__)
    return next((item for item in metadata if isinstance(item, Shelf)), None)


def section_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a section, also of one that may be left out; None for a field that is a value or a part."""
    kinds = [kind for kind in get_args(field.annotation) if kind is not NoneType] or [field.annotation]
    kind: Any = kinds[0]
    is_model = isinstance(kind, type) and issubclass(kind, BaseModel)
    return kind if is_model and shelf_of(field) is None else None


def entry_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of each entry of a mapping of sections; None for any other field."""
    if get_origin(field.annotation) is not dict:
        return None
    kind: Any = get_args(field.annotation)[1]
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def model_at(trail: Trail, values: Any) -> type[BaseModel] | None:
    """The section or part whose settings stand below `trail`; None where a recipe has neither."""
    model: type[BaseModel] | None = Recipe
    shelf: Shelf | None = None
    entry: type[BaseModel] | None = None
    for step in trail:
        if isinstance(step, str):
            model = _part_class(shelf, values) if shelf else model
            field = fields_of(model).get(step) if model and not entry else None
            model, shelf, entry = (
                (section_of(field), shelf_of(field), entry_of(field)) if field else (entry, None, None)
            )
        values = _child(values, step)
    return _part_class(shelf, values) if shelf else model


def field_at(trail: Trail, values: Any) -> FieldInfo | None:
    """The field that the last word of `trail` names; None when nothing has that name there."""
    if not trail or not isinstance(trail[-1], str):
        return None
    model = model_at(trail[:-1], values)
    return fields_of(model).get(trail[-1]) if model else None


def paths_ending_in(word: str) -> list[str]:
    """Every recipe path whose last word is `word`, parts not entered."""
    return [dotted(trail) for trail, _ in walk(Recipe) if trail[-1] == word]


def walk(model: type[BaseModel], above: Trail = ()) -> Iterator[tuple[Trail, FieldInfo]]:
    """Every key below a section and its field, in the order of the schema."""
    for key, field in fields_of(model).items():
        yield (*above, key), field
        section = section_of(field)
        if section is not None:
            yield from walk(section, (*above, key))


def with_part_names(values: Mapping[str, Any], model: type[BaseModel] = Recipe) -> dict[str, Any]:
    """`values`, where settings of a part without its name are given the default part's name.

    A needed section that is not there becomes an empty one, so that what it needs is named.
    """
    fields = fields_of(model)
    needed: dict[str, Any] = {key: {} for key, field in fields.items() if field.is_required() and section_of(field)}
    given = {key: _named(value, fields[key]) if key in fields else value for key, value in values.items()}
    return {**needed, **given}


def _named(value: Any, field: FieldInfo) -> Any:
    if not isinstance(value, dict):
        return value
    section, entry, shelf = section_of(field), entry_of(field), shelf_of(field)
    if section is not None:
        return with_part_names(value, section)
    if entry is not None:
        return {key: with_part_names(one, entry) if isinstance(one, dict) else one for key, one in value.items()}
    if shelf is None:
        return value
    named = {"name": field.default, **value} if "name" not in value and isinstance(field.default, str) else value
    part = _part_class(shelf, named)
    return with_part_names(named, part) if part else named


def _child(values: Any, step: str | int) -> Any:
    try:
        return values[step]
    except (KeyError, IndexError, TypeError):
        return None


def _part_class(shelf: Shelf, value: Any) -> type[BaseModel] | None:
    name = value.get("name") if isinstance(value, dict) else value
    try:
        return shelf.get(name) if isinstance(name, str) else None
    except UserError:
        return None
