from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.recipe.load import load


@pytest.fixture
def recipe(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write a recipe into an empty current folder; gives its relative name, as messages show it."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "recipe.yaml") -> str:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, "utf-8")
        return name

    return write


@pytest.fixture
def faults(recipe: Callable[..., str]) -> Callable[..., list[str]]:
    """Every sentence that loading a recipe raises."""

    def raised(text: str, *overrides: str, **fields: object) -> list[str]:
        with pytest.raises(UserError) as caught:
            load(recipe(text), overrides, **fields)
        return list(caught.value.faults)

    return raised
