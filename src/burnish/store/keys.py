"""API keys: 256 random bits, of which only the SHA-256 is kept.

A key reads `bk_<id>_<secret>`. It is looked up by its id and compared in constant time; a slow hash would add nothing
to 256 bits that nobody chose.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from burnish.core.errors import NotFound, UserError, hint, listed
from burnish.store.audit import Audit
from burnish.store.records import Key
from burnish.store.states import put_state, read_state
from burnish.store.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection

ROLES: Mapping[str, str] = {
    "predict": "ask models",
    "feedback": "correct the answers that it got itself",
    "review": "see and correct every answer, decide on feedback, see alerts",
    "release": "register, promote and roll back versions, start retraining",
    "admin": "everything, keys too",
}
PREFIX = "bk"
SUBJECT = "sub_"
"""How the id begins that stands for an issuer's subject."""
HEARD = "heard "
MOST_OWNER = 200
LIMITS = ("expires_at", "per_minute", "per_day", "models")


class Keys:
    """The keys of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def create(self, owner: str, roles: Sequence[str], by: str, **limits: Any) -> tuple[Key, str]:
        """A new key and its full text, which is never seen again. `limits` are fields of `Key`.

        Raises:
            UserError: there is no such role, or an owner or a limit is none.
        """
        key, text = _made(owner, roles, limits)
        with self.store.writing() as connection:
            self._keep(connection, key, by)
        return key, text

    def revoke(self, identity: str, by: str) -> Key:
        """From now on the key is refused; servers notice within a second. One that is revoked stays as it is.

        Raises:
            NotFound: there is no such key.
        """
        from burnish.store.tables import keys

        key = self.find(identity)
        if key.revoked_at is not None:
            return key
        now = time.time()
        with self.store.writing() as connection:
            connection.execute(keys.update().where(keys.c.id == identity).values(revoked_at=now))
            self.audit.add(connection, by, "key revoked", identity, {"owner": key.owner})
        return replace(key, revoked_at=now)

    def rotate(self, identity: str, by: str, overlap_s: float = 0.0) -> tuple[Key, str]:
        """A new key with the rights of an old one, which is refused after `overlap_s` seconds.

        Raises:
            NotFound: there is no such key.
            UserError: it was revoked or has expired: it has no rights to hand on.
        """
        from burnish.store.tables import keys

        old, now = self.find(identity), time.time()
        new, text = _made(old.owner, old.roles, {name: getattr(old, name) for name in LIMITS})
        end = min(now + overlap_s, old.expires_at or float("inf"))
        with self.store.writing() as connection:
            values = {"expires_at": end} if overlap_s > 0 else {"revoked_at": now}
            is_valid = keys.c.revoked_at.is_(None) & (keys.c.expires_at.is_(None) | (keys.c.expires_at > now))
            update = keys.update().where((keys.c.id == identity) & is_valid)
            if not connection.execute(update.values(**values)).rowcount:  # by now: somebody may just have revoked it
                raise UserError(f"the key '{identity}' is revoked or expired; create a new one.")
            self._keep(connection, new, by)
            self.audit.add(connection, by, "key rotated", identity, {"to": new.id, "overlap_s": overlap_s})
        return new, text

    def hear(self, subject: str, roles: Sequence[str]) -> None:
        """Note with which roles an issuer's subject last gave feedback: what its word counts, and its token is gone."""
        with self.store.reading() as connection:
            known = read_state(connection, HEARD + subject)
        if known != list(roles):
            with self.store.writing() as connection:
                put_state(connection, HEARD + subject, list(roles))

    def heard(self) -> dict[str, tuple[str, ...]]:
        """Id → roles of every subject that gave feedback."""
        from sqlalchemy import select

        from burnish.store.tables import states

        query = select(states).where(states.c.name.startswith(HEARD + SUBJECT, autoescape=True))
        with self.store.reading() as connection:
            return {row.name.removeprefix(HEARD): tuple(row.value) for row in connection.execute(query)}

    def _keep(self, connection: Connection, key: Key, by: str) -> None:
        from burnish.store.tables import keys

        connection.execute(keys.insert().values(**asdict(key)))
        self.audit.add(connection, by, "key created", key.id, {"owner": key.owner, "roles": list(key.roles)})

    def find(self, identity: str) -> Key:
        """A key by its id.

        Raises:
            NotFound: there is none.
        """
        found = next((key for key in self.all() if key.id == identity), None)
        if found is None:
            raise NotFound(f"there is no key '{identity}'; `burnish keys` lists them.")
        return found

    def all(self) -> list[Key]:
        """Every key, the oldest first."""
        from sqlalchemy import select

        from burnish.store.tables import keys

        with self.store.reading() as connection:
            rows = connection.execute(select(keys).order_by(keys.c.at, keys.c.id)).mappings().all()
        return [Key(**{**row, "roles": tuple(row["roles"]), "models": tuple(row["models"])}) for row in rows]


def identity_in(text: str) -> str | None:
    """The id that a key's text holds; None when it is no key."""
    pieces = text.split("_", 2)
    return pieces[1] if len(pieces) == 3 and pieces[0] == PREFIX else None


def is_secret_of(text: str, key: Key) -> bool:
    """Whether `text` is the key itself, compared in constant time."""
    return hmac.compare_digest(_digest(text), key.digest)


def _made(owner: str, roles: Sequence[str], limits: Mapping[str, Any]) -> tuple[Key, str]:
    """A key that is kept nowhere yet, and its text."""
    for role in roles or [""]:
        if role not in ROLES:
            raise UserError(f"there is no role '{role}'.{hint(role, ROLES)} There are {listed(ROLES)}.")
    if not 0 < len(owner) <= MOST_OWNER:
        raise UserError(f"a key's owner has 1 to {MOST_OWNER} characters; got {len(owner)}.")
    for name in ("per_minute", "per_day"):
        limit = limits.get(name)
        if limit is not None and limit < 1:
            raise UserError(f"{name}: a key may ask at least once; got {limit}. Leave it out for no limit.")
    identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    text = f"{PREFIX}_{identity}_{secret}"
    return Key(identity, _digest(text), owner, tuple(dict.fromkeys(roles)), time.time(), **limits), text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
