"""Where the rows are that a name's models learn from: noted when a version is released, read when it is retrained."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.flows.judge import files_in
from burnish.recipe.load import Loaded
from burnish.recipe.schema import share_of
from burnish.store.home import Home
from burnish.store.states import put_state, read_state

SIDES = ("train", "dev", "replay")


def keep_places(home: Home, name: str, loaded: Loaded) -> bool:
    """Note where the rows of a recipe are as seen from here; whether they are all there."""
    data = loaded.recipe.data
    if any(trail[:1] == ("data",) and trail[-1] not in (*SIDES, "path") for trail in loaded.recipe.placeholders):
        return False  # what came from the environment may be a secret, such as the password of a database
    found = {side: _settled(loaded.located("data", side)) for side in SIDES if getattr(data, side) is not None}
    if not found or not all(path.exists() for value in found.values() for path in _files(value)):
        return False
    with home.store.writing() as connection:
        put_state(connection, _state(name), found)
    return True


def known_places(home: Home, name: str) -> Mapping[str, Any]:
    """What was noted, as settings of `data`.

    Raises:
        UserError: nothing was, or the files have gone.
    """
    with home.store.reading() as connection:
        found: Mapping[str, Any] | None = read_state(connection, _state(name))
    if found is None:
        raise UserError(
            f"where the training rows of '{name}' are was not known when it was released; say it: data.train=FILE."
        )
    gone = [path for value in found.values() for path in _files(value) if not path.exists()]
    if gone:
        raise UserError(f"{gone[0]}: the training rows of '{name}' are not there any more; say where: data.train=FILE.")
    return found


def _files(value: Any) -> list[Path]:
    return [] if share_of(value) is not None else files_in(value)


def _state(name: str) -> str:
    return f"rows {name}"


def _settled(value: Any) -> Any:
    """Paths from the root, so that they mean the same wherever retraining runs."""
    if isinstance(value, list):
        return [_settled(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _settled(one) if key == "path" else one for key, one in value.items()}
    if isinstance(value, str | Path) and _files(value) and Path(value).expanduser().exists():
        return str(Path(value).expanduser().absolute())
    return value
