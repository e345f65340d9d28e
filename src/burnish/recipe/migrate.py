"""Recipes written for an older schema, brought up to date when they are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from burnish.core.errors import UserError
from burnish.recipe.schema import SCHEMA

Migration = Callable[[dict[str, Any]], dict[str, Any]]
MIGRATIONS: Mapping[int, Migration] = {}
"""Schema number → what turns a recipe of that schema into one of the next."""


def migrated(values: dict[str, Any], place: str = "", table: Mapping[int, Migration] = MIGRATIONS) -> dict[str, Any]:
    """`values` under the current schema. A recipe that names no schema is taken for a current one.

    Raises:
        UserError: the schema is not a number, is newer than this Burnish, or too old to be migrated.
    """
    number = values.get("schema", SCHEMA)
    start = f"{place}: " if place else ""
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise UserError(f"{start}schema must be a whole number from 1 to {SCHEMA}; got {number!r}.")
    if number > SCHEMA:
        raise UserError(
            f"{start}schema {number} is newer than this Burnish reads (up to {SCHEMA}); "
            "upgrade it with pip install --upgrade burnish."
        )
    for older in range(number, SCHEMA):
        values = {**table[older](values), "schema": older + 1}
    return values
