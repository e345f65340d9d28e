"""What a user wrote, before it is a recipe: values, and for each of them the place it was written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, TypeVar

from burnish.recipe.outline import Trail, dotted

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value was written. `label` is what messages say when there is no file, e.g. `override 'a.b=c'`."""

    file: Path | None = None
    line: int | None = None
    label: str = ""

    def __str__(self) -> str:
        if self.file is None:
            return self.label
        return f"{self.file}:{self.line}" if self.line else str(self.file)


@dataclass(frozen=True)
class Document:
    """Values as written, the place of each, and the source text of those that YAML read as something but text."""

    values: dict[str, Any] = field(default_factory=dict)
    places: dict[Trail, Place] = field(default_factory=dict)
    texts: dict[Trail, str] = field(default_factory=dict)

    def place(self, trail: Trail) -> Place:
        """The place of the value at `trail`, or of the first value within it, or of the nearest value around it."""
        if trail in self.places:
            return self.places[trail]
        within = (at for at in self.places if trail and at[: len(trail)] == trail)  # `a.b=c` may be all that names `a`
        around = (trail[:n] for n in range(len(trail) - 1, -1, -1) if trail[:n] in self.places)
        nearest = next(chain(within, around), None)
        return Place() if nearest is None else self.places[nearest]

    def start(self, trail: Trail) -> str:
        """`recipe.yaml:7: data.train`, how a sentence about the value at `trail` begins."""
        return said_at(self.place(trail), dotted(trail))

    def under(self, above: Document) -> Document:
        """The two documents as one, `above` on top: mappings merge, everything else is replaced.

        An empty mapping takes away what stands there: `judge.gates={}` asks for no gates. A part that is given another
        name is replaced whole: its settings belonged to the other part.
        """
        values = _merged(self.values, above.values)
        return Document(
            values,
            {**_kept(self.places, values), **above.places},
            {**_without(_kept(self.texts, values), above.places), **above.texts},
        )


def said_at(place: Place, sentence: str) -> str:
    """`sentence` with its place before it, if it has one."""
    return f"{place}: {sentence}" if f"{place}" else sentence


def flat(value: Any, above: Trail = ()) -> Iterator[tuple[Trail, Any]]:
    """Every value that is neither a mapping nor a list, with its trail."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from flat(inner, (*above, str(key)))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from flat(inner, (*above, number))
    else:
        yield above, value


def replaced(value: Any, new: Mapping[Trail, Any], above: Trail = ()) -> Any:
    """A copy of `value` with other values at some trails; whatever is not touched is shared, not copied."""
    if above in new:
        return new[above]
    if not any(trail[: len(above)] == above for trail in new):
        return value
    if isinstance(value, Mapping):
        return {key: replaced(inner, new, (*above, key)) for key, inner in value.items()}
    if isinstance(value, list):
        return [replaced(inner, new, (*above, number)) for number, inner in enumerate(value)]
    return value


def _merged(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    merged = dict(below)
    for key, value in above.items():
        standing = merged.get(key)
        if value and isinstance(standing, dict) and isinstance(value, dict) and not _is_another_part(standing, value):
            merged[key] = _merged(standing, value)
        else:
            merged[key] = value
    return merged


def _is_another_part(standing: dict[str, Any], value: dict[str, Any]) -> bool:
    return "name" in value and standing.get("name") != value["name"]


def _kept(standing: dict[Trail, Item], values: Any) -> dict[Trail, Item]:
    return {trail: item for trail, item in standing.items() if _leads_somewhere(values, trail)}


def _without(standing: dict[Trail, Item], gone: Mapping[Trail, object]) -> dict[Trail, Item]:
    return {trail: item for trail, item in standing.items() if trail not in gone}


def _leads_somewhere(values: Any, trail: Trail) -> bool:
    for step in trail:
        if not has(values, step):
            return False
        values = values[step]
    return True


def has(values: Any, step: str | int) -> bool:
    """Whether a mapping has a key, or a list an index."""
    return step in values if isinstance(values, dict) else isinstance(values, list) and step in range(len(values))
