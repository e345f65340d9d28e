"""Releases: bundles under a name and a version, and the aliases that point at one of them."""

from __future__ import annotations

import re
import time
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.core.errors import GateMissed, NotFound, UserError, hint, listed
from burnish.store.audit import Audit
from burnish.store.records import Alias, Release
from burnish.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

PRODUCTION, CANDIDATE, PREVIOUS = "production", "candidate", "previous"
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
ALIASES = (PRODUCTION, CANDIDATE, PREVIOUS)
MADE_BY = {
    PRODUCTION: "`burnish promote`",
    CANDIDATE: "`burnish release`",
    PREVIOUS: "the second `burnish promote`",
}
MOST_VERSION = 2**31
SHOWN = 80
"""Characters of what was typed that an error repeats."""


class Reference(NamedTuple):
    """What a user calls a release: `intent`, `intent:7` or `intent@candidate`."""

    name: str
    version: int | None
    alias: str

    def __str__(self) -> str:
        return f"{self.name}:{self.version}" if self.version is not None else f"{self.name}@{self.alias}"


def reference(text: str) -> Reference:
    """A reference as it was typed; a bare name is its production.

    Raises:
        UserError: it is none.
    """
    found = re.fullmatch(rf"({NAME.pattern})(?::([1-9][0-9]{{0,8}})|@([a-z]{{1,32}}))?", text)
    if not found:
        raise UserError(
            f"{text[:SHOWN]!r} names no release; write name, name:7 or name@production. A name has up to 64 of "
            "a-z 0-9 . _ - and starts with a letter or digit."
        )
    if found[3] and found[3] not in ALIASES:
        raise UserError(
            f"'{text}': there is no alias '{found[3]}'.{hint(found[3], ALIASES)} There are {listed(ALIASES)}."
        )
    return Reference(found[1], int(found[2]) if found[2] else None, found[3] or PRODUCTION)


class Releases:
    """The releases of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def register(self, release: Release) -> Release:
        """Give a release the next version of its name, and make it the candidate; its own version is not looked at.

        Raises:
            UserError: its name is none.
        """
        from sqlalchemy import func, select

        from burnish.store.tables import releases

        if reference(release.name) != Reference(release.name, None, PRODUCTION):
            raise UserError(f"'{release.name}' is no bare name; a release gets its version when it is registered.")
        with self.store.writing() as connection:
            self.store.take_turns(connection, "releases")
            newest = connection.execute(select(func.max(releases.c.version)).where(releases.c.name == release.name))
            known = replace(release, version=(newest.scalar() or 0) + 1)
            connection.execute(releases.insert().values(**asdict(known)))
            _point(connection, known.name, CANDIDATE, known.version, known.by)
            detail = {"digest": known.digest, "why": known.why, "passed": known.is_passed}
            self.audit.add(connection, known.by, "release", f"{known.name}:{known.version}", detail)
        return known

    def promote(self, name: str, version: int, by: str, why: str = "", *, force: bool = False) -> Release:
        """Make a version production; what was production becomes previous.

        Raises:
            UserError: there is no such version, or it is production already.
            GateMissed: it missed its gate, and is not promoted by `force` all the same.
        """
        with self.store.writing() as connection:
            self.store.take_turns(connection, "releases")
            release = _release(connection, name, version)
            if not release.is_passed and not force:
                raise GateMissed(f"{name}:{version} missed its gate and is not promoted; force does it all the same.")
            before = _pointed(connection, name, PRODUCTION)
            if before == version:
                raise UserError(f"{name}:{version} is production already.")
            _point(connection, name, PRODUCTION, version, by)
            if before is not None:
                _point(connection, name, PREVIOUS, before, by)
            if _pointed(connection, name, CANDIDATE) == version:
                _unpoint(connection, name, CANDIDATE)
            self.audit.add(
                connection, by, "promote", f"{name}:{version}", {"before": before, "why": why, "force": force}
            )
        return release

    def roll_back(self, name: str, by: str, why: str = "") -> Release:
        """Make the previous version production again; what was production becomes previous.

        Raises:
            UserError: there is none to go back to.
        """
        with self.store.writing() as connection:
            self.store.take_turns(connection, "releases")
            now, before = _pointed(connection, name, PRODUCTION), _pointed(connection, name, PREVIOUS)
            if now is None:
                _refuse_unknown(connection, name)
            if now is None or before is None:
                raise UserError(f"{name}: there is no version before production to go back to.")
            release = _release(connection, name, before)
            _point(connection, name, PRODUCTION, before, by)
            _point(connection, name, PREVIOUS, now, by)
            self.audit.add(connection, by, "rollback", f"{name}:{before}", {"before": now, "why": why})
        return release

    def find(self, asked: Reference | str) -> Release:
        """The release that a reference means now.

        Raises:
            UserError: there is no such name, version or alias.
        """
        asked = reference(asked) if isinstance(asked, str) else asked
        with self.store.reading() as connection:
            version = asked.version
            if version is None:
                version = _pointed(connection, asked.name, asked.alias)
            if version is None:
                _refuse_unknown(connection, asked.name)
                raise NotFound(f"{asked.name}: no version is {asked.alias} yet; {MADE_BY[asked.alias]} makes one.")
            return _release(connection, asked.name, version)

    def all(self, name: str | None = None) -> list[Release]:
        """Every release, of one name if it is given; newest version first."""
        from sqlalchemy import select

        from burnish.store.tables import releases

        query = select(releases).order_by(releases.c.name, releases.c.version.desc())
        with self.store.reading() as connection:
            rows = connection.execute(query if name is None else query.where(releases.c.name == name)).all()
        return [Release(*row) for row in rows]

    def aliases(self) -> list[Alias]:
        """Every alias of every name."""
        from sqlalchemy import select

        from burnish.store.tables import aliases

        with self.store.reading() as connection:
            return [
                Alias(*row) for row in connection.execute(select(aliases).order_by(aliases.c.name, aliases.c.alias))
            ]


def _release(connection: Connection, name: str, version: int) -> Release:
    from sqlalchemy import select

    from burnish.store.tables import releases

    query = select(releases).where(releases.c.name == name, releases.c.version == version)
    row = connection.execute(query).first() if version < MOST_VERSION else None
    if row is None:
        _refuse_unknown(connection, name)
        raise NotFound(f"{name}: there is no version {version}; `burnish releases {name}` lists those that there are.")
    return Release(*row)


def _refuse_unknown(connection: Connection, name: str) -> None:
    from sqlalchemy import select

    from burnish.store.tables import releases

    names = [row.name for row in connection.execute(select(releases.c.name).distinct())]
    if name not in names:
        there = f" There are: {listed(sorted(names))}." if names else " Nothing was released yet."
        raise NotFound(f"there is no release of the name {name[:SHOWN]!r}.{hint(name, names)}{there}")


def _pointed(connection: Connection, name: str, alias: str) -> int | None:
    from sqlalchemy import select

    from burnish.store.tables import aliases

    query = select(aliases.c.version).where(aliases.c.name == name, aliases.c.alias == alias)
    found: int | None = connection.execute(query).scalar()
    return found


def _point(connection: Connection, name: str, alias: str, version: int, by: str) -> None:
    from burnish.store.tables import aliases

    _unpoint(connection, name, alias)
    values: dict[str, Any] = {"name": name, "alias": alias, "version": version, "at": time.time(), "by": by}
    connection.execute(aliases.insert().values(**values))


def _unpoint(connection: Connection, name: str, alias: str) -> None:
    from burnish.store.tables import aliases

    connection.execute(aliases.delete().where(aliases.c.name == name, aliases.c.alias == alias))
