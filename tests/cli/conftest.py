from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from burnish.cli.main import main
from burnish.core.settings import settings
from burnish.store.home import Home, open_home


@dataclass(frozen=True)
class Ended:
    """How a command line ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def burnish(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ended]:
    """Run one command line in this process."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")

    def run(*words: str) -> Ended:
        with pytest.raises(SystemExit) as ended:
            main(words)
        out, err = capfd.readouterr()
        code = ended.value.code
        return Ended(code if isinstance(code, int) else 0, out, err)

    return run


@pytest.fixture
def flow(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[Sequence[Any], dict[str, Any]]]]:
    """Put a function in the place of a verb; gives the list of the calls it will get."""

    def replace(name: str, verb: Callable[..., Any], function: str | None = None) -> list[Any]:
        calls: list[Any] = []

        def called(*args: Any, **options: Any) -> Any:
            calls.append((args, {key: value for key, value in options.items() if key != "listen"}))
            return verb(*args, **options)

        module = sys.modules.get(f"burnish.flows.{name}")
        if module is None or not hasattr(module, "_is_a_test"):
            module = ModuleType(f"burnish.flows.{name}")
            module._is_a_test = True  # type: ignore[attr-defined]
        setattr(module, function or name, called)
        monkeypatch.setitem(sys.modules, f"burnish.flows.{name}", module)
        return calls

    return replace


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation without anything, to be copied: to make the tables takes longer than most tests."""
    folder = tmp_path_factory.mktemp("empty") / "home"
    with pytest.MonkeyPatch.context() as patch:
        _at_home(patch, folder)
        open_home().close()
    settings.cache_clear()
    return folder


@pytest.fixture
def home(empty_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """A copy of it, opened, and the one that commands use."""
    _at_home(monkeypatch, shutil.copytree(empty_home, tmp_path / "home"))
    opened = open_home()
    yield opened
    opened.close()
    settings.cache_clear()


def _at_home(patch: pytest.MonkeyPatch, folder: Path) -> None:
    for name in ("DATABASE", "BUNDLES", "STORE_INPUTS", "RETENTION_DAYS"):
        patch.delenv(f"BURNISH_{name}", raising=False)
    patch.setenv("BURNISH_HOME", str(folder))
    patch.setenv("BURNISH_SECRET", "0123456789abcdef0123456789abcdef")
    settings.cache_clear()
