"""Shelves: folders of parts. A file on a shelf is a part; adding one needs no edit anywhere else.

Listing a shelf reads file names and docstrings and imports nothing. Third parties add parts through the
entry-point group `burnish.<shelf>`.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from burnish.core.errors import UserError, hint, listed
from burnish.core.parts import Part

SHELVES = {
    "sources": "burnish.data.sources",
    "splits": "burnish.data.splits",
    "privacy": "burnish.data.privacy",
    "bases": "burnish.models.bases",
    "heads": "burnish.models.heads",
    "peft": "burnish.models.peft",
    "tasks": "burnish.tasks",
    "metrics": "burnish.metrics",
    "runtimes": "burnish.bundle.runtimes",
    "methods": "burnish.compression.methods",
    "exports": "burnish.compression.exports",
    "optimizers": "burnish.training.optimizers",
    "schedules": "burnish.training.schedules",
    "observers": "burnish.training.observers",
    "anchors": "burnish.training.anchors",
    "calibrations": "burnish.evaluation.calibrations",
    "formats": "burnish.evaluation.formats",
    "watches": "burnish.monitoring.watches",
    "sinks": "burnish.monitoring.sinks",
    "choose": "burnish.feedback.choose",
}


@dataclass(frozen=True)
class Shelf:
    """One shelf of parts, named as in `burnish parts`.

    `Annotated[Part, Shelf("heads")]` is the type of a recipe field that names a part of it, with its settings.
    """

    name: str

    def names(self) -> list[str]:
        """Every part's name, sorted. Imports nothing."""
        return sorted({*_files(SHELVES[self.name]), *self._foreign()})

    def summary(self, name: str) -> str:
        """First line of the part's file docstring, read without importing it."""
        file = _files(SHELVES[self.name]).get(name)
        if file is None:
            return f"from {self._foreign()[name].value}"
        return (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").split("\n")[0]

    def get(self, name: str) -> type[Part]:
        """The part's class. Raises `UserError` with a near-miss hint when the shelf has no such part."""
        if name in _files(SHELVES[self.name]):  # most are: looking through all that is installed takes 20 ms
            return _part_in(f"{SHELVES[self.name]}.{name}")
        foreign = self._foreign()
        if name not in foreign:
            names = self.names()
            raise UserError(
                f"there is no part '{name}' on the shelf '{self.name}'.{hint(name, names)} It has: {listed(names)}."
            )
        loaded = foreign[name].load()
        if not (isinstance(loaded, type) and issubclass(loaded, Part)):
            raise UserError(f"'{name}' of the entry-point group burnish.{self.name} is not a Burnish part.")
        return loaded

    def build(self, value: object) -> object:
        """A part from what a recipe says: a name, or a mapping with `name` and settings."""
        if isinstance(value, Part):
            return value
        if isinstance(value, str):
            return self._class(value)()
        if isinstance(value, dict) and isinstance(value.get("name"), str):
            return self._class(value["name"]).model_validate({k: v for k, v in value.items() if k != "name"})
        raise ValueError(f"expected the name of a part, or a mapping with 'name'; got {value!r}")

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        written = core_schema.plain_serializer_function_ser_schema(lambda part: part.as_recipe())
        return core_schema.no_info_before_validator_function(self.build, handler(source), serialization=written)

    def _class(self, name: str) -> type[Part]:
        try:
            return self.get(name)
        except UserError as error:
            raise ValueError(str(error)) from None

    def _foreign(self) -> dict[str, EntryPoint]:
        return {point.name: point for point in entry_points(group=f"burnish.{self.name}")}


def need(module: str, extra: str) -> Any:
    """Import an optional library, or say the pip line that brings it."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(f"this needs the library '{module}': pip install 'burnish[{extra}]'. ({error})") from None


def _files(package: str) -> dict[str, Path]:
    spec = importlib.util.find_spec(package)
    folders = [] if spec is None else list(spec.submodule_search_locations or [])
    return {
        file.stem: file
        for folder in folders
        for file in sorted(Path(folder).glob("*.py"))
        if not file.stem.startswith("_")
    }


@cache
def _part_in(module_name: str) -> type[Part]:
    module = importlib.import_module(module_name)
    found = [
        item
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, Part) and item.__module__ == module_name
    ]
    if len(found) != 1:
        raise TypeError(f"{module_name} must define exactly one part; it defines {len(found)}")
    return found[0]
