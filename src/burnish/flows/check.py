"""`check`: everything that `fit` would refuse, found without training."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from burnish.core.events import Listener, ignore
from burnish.data.card import DataCard
from burnish.data.card_text import warnings
from burnish.flows.ground import lay_ground
from burnish.flows.judging import check_judging, refuse_idle_gates
from burnish.recipe.load import load
from burnish.recipe.schema import Recipe
from burnish.tasks._contract import Task


@dataclass(frozen=True)
class CheckResult:
    """The recipe as it would run, what its data looks like, and what to think about first."""

    recipe: Recipe
    card: DataCard
    warnings: list[str]


def check(
    recipe: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    listen: Listener = ignore,
    **fields: Any,
) -> CheckResult:
    """Validate a recipe, its data and its base.

    Raises:
        UserError: every fault found, one sentence each.
    """
    loaded = load(recipe, overrides, **fields)
    check_judging(loaded.recipe.judge, cast("Task", loaded.recipe.task))
    refuse_idle_gates(loaded.recipe)
    with tempfile.TemporaryDirectory(prefix="burnish-check-") as folder:
        ground = lay_ground(loaded, Path(folder), listen)
        return CheckResult(loaded.recipe, ground.card, warnings(ground.card))
