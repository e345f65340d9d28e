"""The filled recipe: every default written out, secrets as `${NAME}`, always in the same order; and its hash."""

from __future__ import annotations

import hashlib
import json
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel

from burnish.recipe.document import replaced
from burnish.recipe.outline import fields_of, section_of
from burnish.recipe.schema import Recipe
from burnish.recipe.syntax import add_rules_to

_WIDTH = 100


class _Dumper(yaml.SafeDumper):
    """Quotes what our reader would not read back as text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Text with the line breaks of Unicode is escaped: the library writes them raw and reads them as spaces."""
    style = '"' if any(letter in text for letter in "\x85\u2028\u2029\ufeff") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
add_rules_to(_Dumper)


def filled(recipe: Recipe) -> dict[str, Any]:
    """Everything the recipe says, defaults included, as plain JSON values in the order of the schema.

    Rows that were given from Python are told by their number only.
    """
    rest = recipe.model_dump(mode="json", by_alias=True)
    ordered = {key: rest[key] for key in fields_of(Recipe)}
    return replaced(ordered, recipe.placeholders)  # type: ignore[no-any-return]


def filled_yaml(recipe: Recipe, *, comments: bool = True) -> str:
    """The filled recipe as YAML that loads again, each setting under the sentence that explains it."""
    return "\n".join(_lines(filled(recipe), Recipe, 0, comments)) + "\n"


def recipe_hash(recipe: Recipe) -> str:
    """SHA-256 of the filled recipe as canonical JSON (keys sorted, no spaces, UTF-8), hexadecimal."""
    text = json.dumps(filled(recipe), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()


def as_yaml(value: Any) -> str:
    """One value on one line of YAML."""
    text = yaml.dump(value, Dumper=_Dumper, default_flow_style=True, allow_unicode=True, width=10**9, sort_keys=False)
    return text.removesuffix("\n...\n").removesuffix("\n")


def _lines(values: dict[str, Any], model: type[BaseModel], depth: int, comments: bool) -> Iterator[str]:
    indent = "  " * depth
    for key, field in fields_of(model).items():
        if comments and field.description:
            yield from textwrap.wrap(
                field.description, _WIDTH, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# "
            )
        section = section_of(field)
        if section is None:
            yield f"{indent}{key}: {as_yaml(values[key])}"
        else:
            yield f"{indent}{key}:"
            yield from _lines(values[key], section, depth + 1, comments)
