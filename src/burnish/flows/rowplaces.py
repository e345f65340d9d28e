"""Where the rows are that a version learned from: noted when it is released, read when training goes on from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.flows.judge import files_in
from burnish.recipe.load import Loaded
from burnish.recipe.schema import share_of
from burnish.store.home import Home
from burnish.store.records import Release
from burnish.store.states import put_state, read_state

SIDES = ("train", "dev", "replay")


def keep_places(home: Home, release: Release, loaded: Loaded) -> bool:
    """Note where the rows of a recipe are as seen from here; whether they are all there."""
    data = loaded.recipe.data
    if any(trail[:1] == ("data",) and trail[-1] not in (*SIDES, "path") for trail in loaded.recipe.placeholders):
        return False  # what came from the environment may be a secret, such as the password of a database
    found = {side: _settled(loaded.located("data", side)) for side in SIDES if getattr(data, side) is not None}
    if not found or any(map(_is_from_python, found.values())):
        return False
    if not all(path.exists() for value in found.values() for path in _files(value)):
        return False
    with home.store.writing() as connection:
        put_state(connection, _state(release), found)
    return True


def hand_places_on(home: Home, old: Release, new: Release) -> None:
    """A version that was retrained learned from the rows of the one before; corrections are in the database."""
    with home.store.writing() as connection:
        found = read_state(connection, _state(old))
        if found is not None:
            put_state(connection, _state(new), found)


def known_places(home: Home, release: Release, without: Collection[str] = ()) -> Mapping[str, Any]:
    """What was noted, as settings of `data`. `without` are sides that are said elsewhere.

    Raises:
        UserError: nothing was, or the files have gone.
    """
    with home.store.reading() as connection:
        found: Mapping[str, Any] = read_state(connection, _state(release)) or {}
    told = {side: value for side, value in found.items() if side not in without}
    if not found and "train" not in without:
        raise UserError(
            f"where the training rows of '{release.name}' are was not known when it was released; say it: "
            "data.train=FILE."
        )
    for side, value in told.items():
        gone = [path for path in _files(value) if not path.exists()]
        if gone:
            raise UserError(
                f"{gone[0]}: the {side} rows of '{release.name}' are not there any more; say where: data.{side}=FILE."
            )
    return told


def _files(value: Any) -> list[Path]:
    return [] if share_of(value) is not None else files_in(value)


def _is_from_python(value: Any) -> bool:
    """Whether rows were given in a program, which nothing can read again."""
    return isinstance(value, Mapping) and value.get("name") == "memory"


def _state(release: Release) -> str:
    return f"rows {release.name}:{release.version}"


def _settled(value: Any) -> Any:
    """Paths from the root, so that they mean the same wherever retraining runs."""
    if isinstance(value, list):
        return [_settled(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _settled(one) if key == "path" else one for key, one in value.items()}
    if isinstance(value, str | Path) and _files(value) and Path(value).expanduser().exists():
        return str(Path(value).expanduser().absolute())
    return value
