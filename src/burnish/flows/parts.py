"""What a recipe can name: the parts of every shelf, and the settings of a part."""

from __future__ import annotations

from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from burnish.core.errors import UserError, hint, listed
from burnish.core.parts import Part
from burnish.core.shelves import SHELVES, Shelf
from burnish.recipe.outline import section_of, shelf_of
from burnish.recipe.show import as_yaml

_SIGNS = {"gt": ">", "ge": ">=", "lt": "<", "le": "<="}
_SPECIAL = {type(None): "null", Ellipsis: "..."}


@dataclass(frozen=True)
class PartCard:
    """One part: where it stands, its name, and what it is."""

    shelf: str
    name: str
    summary: str


@dataclass(frozen=True)
class Setting:
    """One setting of a part. `default` is as a recipe writes it, or `needed`."""

    name: str
    type: str
    default: str
    meaning: str


def list_parts(shelf: str | None = None) -> list[PartCard]:
    """Every part, or those of one shelf. Imports none of them.

    Raises:
        UserError: there is no such shelf.
    """
    shelves = SHELVES if shelf is None else [_known(shelf)]
    return [PartCard(one, name, Shelf(one).summary(name)) for one in shelves for name in Shelf(one).names()]


def settings_of(shelf: str, name: str) -> list[Setting]:
    """The settings of one part, in its own order; those of a section of it by their path, `decoding.num_beams`.

    Raises:
        UserError: there is no such shelf, or no such part on it.
    """
    part: type[Part] = Shelf(_known(shelf)).get(name)
    return [one for key, field in part.model_fields.items() for one in _settings(key, field)]


def _settings(name: str, field: FieldInfo) -> list[Setting]:
    section = section_of(field)
    if section is None:
        return [described(name, field)]
    return [described(f"{name}.{key}", inner) for key, inner in section.model_fields.items()]


def described(name: str, field: FieldInfo) -> Setting:
    """A setting of a part or of a section of the recipe, in words."""
    return Setting(name, described_type(field), _default(field), " ".join((field.description or "").split()))


def described_type(field: FieldInfo) -> str:
    """`float > 0`, `auto | fp32 | bf16`, `int >= 1 | null`: the type as a recipe's author thinks of it."""
    shelf = shelf_of(field)
    if shelf is None:
        return _in_words(field.annotation, _bounds(field))
    return f"list of parts of {shelf.name}" if get_origin(field.annotation) is list else f"a part of {shelf.name}"


def _in_words(annotation: Any, bounds: str = "") -> str:
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(str(word) for word in inner)
    if origin in (Union, UnionType):
        return " | ".join(_in_words(one, bounds if one in (int, float) else "") for one in inner)
    if origin is Annotated:
        return _in_words(inner[0], bounds)
    if origin in (dict, list, tuple):
        return f"{origin.__name__}[{', '.join(_in_words(one) for one in inner)}]"
    name = _SPECIAL.get(annotation) or getattr(annotation, "__name__", str(annotation))
    return f"{name} {bounds}".strip()


def _bounds(field: FieldInfo) -> str:
    found = [
        f"{sign} {getattr(item, name):g}"
        for item in field.metadata
        for name, sign in _SIGNS.items()
        if hasattr(item, name)
    ]
    return ", ".join(found)


def _default(field: FieldInfo) -> str:
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return "needed"
    return as_yaml(value.as_recipe() if isinstance(value, Part) else value)


def _known(shelf: str) -> str:
    if shelf not in SHELVES:
        raise UserError(f"there is no shelf '{shelf}'.{hint(shelf, SHELVES)} The shelves are: {listed(SHELVES)}.")
    return shelf
