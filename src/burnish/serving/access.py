"""Who may do what: keys, roles, rates and quotas. Everything is refused that was not allowed."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from burnish.core.errors import hint
from burnish.serving.problems import Problem, too_many
from burnish.store.keys import identity_in, is_secret_of
from burnish.store.records import Key

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "predict": frozenset({"predict"}),
    "feedback": frozenset({"feedback"}),
    "review": frozenset({"feedback", "review", "metrics"}),
    "release": frozenset({"release", "review", "metrics"}),
    "admin": frozenset({"predict", "feedback", "review", "release", "metrics", "admin"}),
}
"""Role → what it allows."""
OPEN = "open"
"""The permission of what anybody may ask, such as whether the server lives."""
MINUTE_S, DAY_S = 60.0, 86_400.0


@dataclass(eq=False)
class Caller:
    """A key in use, and what it has used."""

    key: Key
    n_today: int = 0
    day: str = ""
    tokens: float = 0.0
    """Inputs that its rate still allows now (a token bucket as large as a minute's rate)."""
    filled_at: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)
    allowed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.renew(self.key)

    def renew(self, key: Key) -> None:
        """Take over what the store says of the key now."""
        self.key = key
        self.allowed = frozenset().union(*(PERMISSIONS.get(role, frozenset()) for role in key.roles))

    def may(self, permission: str) -> bool:
        return permission in self.allowed

    def sees(self, permission: str = "review") -> bool:
        """Whether it may see what other keys asked."""
        return self.may(permission)

    def spend(self, n_inputs: int) -> None:
        """Count inputs against rate and quota.

        Raises:
            Problem: either is used up; then nothing was counted.
        """
        if self.key.per_minute is None and self.key.per_day is None:
            return
        with self.lock:
            self._refill()
            if self.key.per_minute is not None and n_inputs > self.tokens:
                if n_inputs > self.key.per_minute:
                    raise Problem(
                        400,
                        f"one call has {n_inputs:,} inputs, and this key may have {self.key.per_minute:,} a minute.",
                    )
                wait_s = (n_inputs - self.tokens) / self.key.per_minute * MINUTE_S
                raise too_many(f"this key may ask {self.key.per_minute:,} inputs a minute; they are used up.", wait_s)
            if self.key.per_day is not None and self.n_today + n_inputs > self.key.per_day:
                wait_s = DAY_S - time.time() % DAY_S
                raise too_many(f"this key may ask {self.key.per_day:,} inputs a day; they are used up.", wait_s)
            self.tokens -= n_inputs
            self.n_today += n_inputs

    def _refill(self) -> None:
        now, today = time.monotonic(), _today()
        if self.key.per_minute is not None:
            rate = self.key.per_minute / MINUTE_S
            grown = self.tokens + (now - self.filled_at) * rate if self.filled_at else float(self.key.per_minute)
            self.tokens = min(float(self.key.per_minute), grown)
            self.filled_at = now
        if self.day != today:
            self.n_today, self.day = 0, today


class Access:
    """The keys as they are now. `refresh` is called whenever the store may have changed."""

    def __init__(self, count_today: Callable[[str, float], int]) -> None:
        self._count_today = count_today
        self._callers: Mapping[str, Caller] = {}

    def refresh(self, keys: Sequence[Key]) -> None:
        """Take over what the store says of keys; what known ones have used stays."""
        self._callers = {key.id: self._caller(key) for key in keys}

    def caller_of(self, headers: Mapping[str, str]) -> Caller:
        """Who asks.

        Raises:
            Problem: no key, or one that is unknown, expired or revoked; which of these is not told.
        """
        text = _key_in(headers)
        if text is None:
            raise _unknown("a key is needed: send the header 'Authorization: Bearer bk_…'.")
        caller = self._callers.get(identity_in(text) or "")
        if caller is None or not is_secret_of(text, caller.key) or not _is_valid(caller.key):
            raise _unknown("this key is not valid here: it may be mistyped, expired or revoked.")
        return caller

    def _caller(self, key: Key) -> Caller:
        known = self._callers.get(key.id)
        if known is not None:
            if known.key != key:
                known.renew(key)
            return known
        n_today = 0 if key.per_day is None else self._count_today(key.id, time.time() // DAY_S * DAY_S)
        return Caller(key, n_today, _today())


def allowed(caller: Caller, permission: str, name: str | None = None) -> Caller:
    """The caller, when it may do this (to the model `name`).

    Raises:
        Problem: it may not.
    """
    if not caller.may(permission):
        roles = [role for role, allows in PERMISSIONS.items() if permission in allows]
        raise Problem(403, f"this key may not do that; it takes one of the roles {', '.join(roles)}.")
    if name is not None and caller.key.models and name not in caller.key.models:
        raise Problem(404, f"there is no model '{name}' for this key.{hint(name, caller.key.models)}")
    return caller


def _key_in(headers: Mapping[str, str]) -> str | None:
    said = headers.get("authorization", "")
    if said[:7].lower() == "bearer ":
        return said[7:].strip()
    return headers.get("x-api-key")


def _is_valid(key: Key) -> bool:
    return key.revoked_at is None and (key.expires_at is None or time.time() < key.expires_at)


def _unknown(detail: str) -> Problem:
    return Problem(401, detail, {"WWW-Authenticate": "Bearer"})


def _today() -> str:
    return datetime.datetime.now(datetime.UTC).date().isoformat()
