"""`promote` and `rollback`: which version answers."""

from __future__ import annotations

from burnish.core.errors import UserError
from burnish.store.home import opened_home, whoami
from burnish.store.records import Release
from burnish.store.releases import reference


def promote(name: str, *, why: str = "", force: bool = False) -> Release:
    """Make a version production: `intent:7`, or `intent@candidate`. Servers follow within a second.

    Raises:
        UserError: there is no such version, or it is production already.
        GateMissed: it missed its gate, and `force` was not said.
    """
    asked = reference(name)
    if asked.version is None and "@" not in name:
        raise UserError(f"say which version of '{name}': {name}:7, or {name}@candidate.")
    with opened_home() as home:
        found = home.releases.find(asked)
        return home.releases.promote(found.name, found.version, whoami(), why, force=force)


def rollback(name: str, *, why: str = "") -> Release:
    """Make the version that was production before production again.

    Raises:
        UserError: there is none, or a version was named.
    """
    asked = reference(name)
    if asked.name != name:
        raise UserError(
            f"'{name}': rollback goes to the version before, and takes the name alone, {asked.name}; another version "
            "is made production by `burnish promote`."
        )
    with opened_home() as home:
        return home.releases.roll_back(name, whoami(), why)
