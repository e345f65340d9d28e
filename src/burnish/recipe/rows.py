"""Rows in a recipe: where they are, or, from Python, what they are; and how a filled recipe tells of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from burnish.core.parts import Part

ROWS = ("train", "dev", "test")
"""The settings of `data` that say where rows are, or are rows given from Python."""


def names_rows(value: Any) -> bool:
    """Whether a value says where rows are (a path, paths, a source with settings), not what they are."""
    if isinstance(value, list):
        return all(isinstance(item, str) or (isinstance(item, dict) and "name" in item) for item in value[:20])
    return isinstance(value, str) or (isinstance(value, dict) and "name" in value and "data" not in value)


def told(value: Any) -> Any:
    """Where rows are, as plain JSON values; rows that were given from Python are told by their number only."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Part):
        return value.as_recipe()
    if isinstance(value, list) and (not value or any(isinstance(item, str | Path) for item in value)):
        return [told(item) for item in value]
    if names_rows(value) and not isinstance(value, list):
        return {key: str(item) if isinstance(item, Path) else item for key, item in value.items()}
    return {"name": "memory", "n_rows": _n_rows(value)}


def _n_rows(value: Any) -> int | None:
    if isinstance(value, dict):
        value = value["data"] if "data" in value else next(iter(value.values()), [])
    return len(value) if hasattr(value, "__len__") else None
