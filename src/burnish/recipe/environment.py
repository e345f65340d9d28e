"""`${NAME}` and `${NAME:-default}` in a recipe's texts, for what differs by machine.

The filled recipe, its hash, reports and faults of how the recipe is written say `${NAME}`; that a file, a column or a
base is not there is told with the value, or nobody could mend it.
`$${` stands for a literal `${`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from burnish.core.errors import Faults
from burnish.recipe.document import Document, flat, replaced
from burnish.recipe.outline import Trail
from burnish.recipe.rows import ROWS, names_rows

_VARIABLE = re.compile(r"\$\$\{|\$\{([^}]*)\}|\$\{")
_INSIDE = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Expansion:
    """A text as written, and what it stands for. Its repr tells only the first."""

    written: str
    value: str

    def __repr__(self) -> str:
        return f"Expansion({self.written!r})"


def expand(document: Document, environ: Mapping[str, str], faults: Faults) -> tuple[Document, dict[Trail, Expansion]]:
    """The document with its variables put in, and where that was done. Unset variables go to `faults`."""
    found: dict[Trail, Expansion] = {}
    for trail, value in flat(without_rows(document.values)):
        if isinstance(value, str) and "${" in value:
            found[trail] = Expansion(value, _expanded(value, environ, document.start(trail), faults))
    values = replaced(document.values, {trail: expansion.value for trail, expansion in found.items()})
    return Document(values, document.places, document.texts), found


def without_rows(values: dict[str, Any]) -> dict[str, Any]:
    """`values` without rows given in place: they are data, never settings, and may be millions."""
    return {key: _without_rows(key, item) if isinstance(item, dict) else item for key, item in values.items()}


def _without_rows(key: str, values: dict[str, Any]) -> dict[str, Any]:
    if key != "data":
        return without_rows(values)
    return {key: item for key, item in values.items() if key not in ROWS or names_rows(item)}


def masked(text: str, trail: Trail, expansions: Mapping[Trail, Expansion]) -> str:
    """`text` about the value at `trail`, with what variables held replaced by what was written."""
    related = [
        expansion
        for at, expansion in expansions.items()
        if expansion.value and (at[: len(trail)] == trail or trail[: len(at)] == at)
    ]
    for expansion in sorted(related, key=lambda item: -len(item.value)):
        text = text.replace(expansion.value, expansion.written)
    return text


def _expanded(text: str, environ: Mapping[str, str], where: str, faults: Faults) -> str:
    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        inside = _INSIDE.fullmatch(match[1] or "")
        if inside is None:
            faults.add(f"{where} has '{match[0]}'; write ${{NAME}} or ${{NAME:-default}}, and $${{ for a literal ${{.")
            return match[0]
        name, default = inside[1], inside[2]
        if default is not None:
            return environ.get(name) or str(default)
        if name not in environ:
            faults.add(f"{where} needs the environment variable {name}; set it, or write ${{{name}:-default}}.")
        return environ.get(name, "")

    return _VARIABLE.sub(value, text)
