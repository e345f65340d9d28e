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
from typing import Any

from burnish.core.errors import UserError, hint, listed
from burnish.store.audit import Audit
from burnish.store.records import Key
from burnish.store.store import Store

ROLES: Mapping[str, str] = {
    "predict": "ask models",
    "feedback": "correct the answers that it got itself",
    "review": "see and correct every answer, decide on feedback, see alerts",
    "release": "register, promote and roll back versions, start retraining",
    "admin": "everything, keys too",
}
PREFIX = "bk"


class Keys:
    """The keys of one store."""

    def __init__(self, store: Store, audit: Audit) -> None:
        self.store = store
        self.audit = audit

    def create(self, owner: str, roles: Sequence[str], by: str, **limits: Any) -> tuple[Key, str]:
        """A new key and its full text, which is never seen again. `limits` are fields of `Key`.

        Raises:
            UserError: there is no such role.
        """
        from burnish.store.tables import keys

        unknown = [role for role in roles if role not in ROLES]
        if unknown or not roles:
            word = unknown[0] if unknown else ""
            raise UserError(f"there is no role '{word}'.{hint(word, ROLES)} There are {listed(ROLES)}.")
        identity, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        text = f"{PREFIX}_{identity}_{secret}"
        key = Key(identity, _digest(text), owner, tuple(roles), time.time(), **limits)
        with self.store.writing() as connection:
            connection.execute(keys.insert().values(**asdict(key)))
            self.audit.add(connection, by, "key created", identity, {"owner": owner, "roles": list(roles)})
        return key, text

    def revoke(self, identity: str, by: str) -> Key:
        """From now on the key is refused; servers notice within a second.

        Raises:
            UserError: there is no such key.
        """
        from burnish.store.tables import keys

        key = self.find(identity)
        now = time.time()
        with self.store.writing() as connection:
            connection.execute(keys.update().where(keys.c.id == identity).values(revoked_at=now))
            self.audit.add(connection, by, "key revoked", identity, {"owner": key.owner})
        return replace(key, revoked_at=now)

    def rotate(self, identity: str, by: str, overlap_s: float = 0.0) -> tuple[Key, str]:
        """A new key with the rights of an old one, which is refused after `overlap_s` seconds.

        Raises:
            UserError: there is no such key.
        """
        from burnish.store.tables import keys

        old = self.find(identity)
        limits = {name: getattr(old, name) for name in ("expires_at", "per_minute", "per_day", "models")}
        made = self.create(old.owner, old.roles, by, **limits)
        with self.store.writing() as connection:
            values = {"expires_at": time.time() + overlap_s} if overlap_s else {"revoked_at": time.time()}
            connection.execute(keys.update().where(keys.c.id == identity).values(**values))
            self.audit.add(connection, by, "key rotated", identity, {"to": made[0].id, "overlap_s": overlap_s})
        return made

    def find(self, identity: str) -> Key:
        """A key by its id.

        Raises:
            UserError: there is none.
        """
        found = next((key for key in self.all() if key.id == identity), None)
        if found is None:
            raise UserError(f"there is no key '{identity}'; `burnish keys` lists them.")
        return found

    def all(self) -> list[Key]:
        """Every key, the oldest first."""
        from sqlalchemy import select

        from burnish.store.tables import keys

        with self.store.reading() as connection:
            rows = connection.execute(select(keys).order_by(keys.c.at)).mappings().all()
        return [Key(**{**row, "roles": tuple(row["roles"]), "models": tuple(row["models"])}) for row in rows]


def identity_in(text: str) -> str | None:
    """The id that a key's text holds; None when it is no key."""
    pieces = text.split("_", 2)
    return pieces[1] if len(pieces) == 3 and pieces[0] == PREFIX else None


def is_secret_of(text: str, key: Key) -> bool:
    """Whether `text` is the key itself, compared in constant time."""
    return hmac.compare_digest(_digest(text), key.digest)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
