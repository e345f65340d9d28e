"""Who may do what: keys, roles, rates and quotas. Everything is refused that was not allowed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.errors import hint
from burnish.serving.allowance import DAY_S, Allowance
from burnish.serving.problems import Problem, shown
from burnish.store.keys import identity_in, is_secret_of
from burnish.store.records import Key

if TYPE_CHECKING:
    from burnish.serving.tokens import Tokens

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "predict": frozenset({"predict"}),
    "feedback": frozenset({"feedback"}),
    "review": frozenset({"feedback", "review", "metrics"}),
    "release": frozenset({"release", "review", "metrics"}),
    "admin": frozenset({"predict", "feedback", "review", "release", "metrics", "admin"}),
}
"""Role → what it allows."""
JWT = "ey"
"""How every JWT begins: `{"` in base64. No key of ours does."""
OPEN = "open"
"""The permission of what anybody may ask, such as whether the server lives."""


class Caller:
    """A key in use, or a token of an issuer that is trusted: then its key is what stands for the subject."""

    def __init__(self, key: Key, allowance: Allowance | None = None) -> None:
        self._allowance = allowance
        self.renew(key)

    def renew(self, key: Key) -> None:
        """Take over what the store says of the key now."""
        self.key = key
        self.allowed = frozenset[str]().union(*(PERMISSIONS.get(role, frozenset()) for role in key.roles))

    def may(self, permission: str) -> bool:
        return permission in self.allowed

    def may_ask(self, name: str) -> bool:
        """Whether it is for this model."""
        return not self.key.models or name in self.key.models

    def spend(self, n_inputs: int) -> None:
        """Count inputs against rate and quota.

        Raises:
            Problem: either is used up; then nothing was counted.
        """
        if self._allowance is not None:
            self._allowance.spend(n_inputs)

    def give_back(self, n_inputs: int) -> None:
        """Inputs that were counted and not answered, because the server could not."""
        if self._allowance is not None:
            self._allowance.give_back(n_inputs)


class Fee:
    """What one request costs its caller: counted once, whatever versions it tries, and given back within a `with` that
    ends by 503, for then the server could not answer.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._n_spent = 0

    def pay(self, n_inputs: int) -> None:
        """Count inputs, if that was not done before.

        Raises:
            Problem: the key's rate or quota is used up.
        """
        if not self._n_spent:
            self._caller.spend(n_inputs)
            self._n_spent = n_inputs

    def __enter__(self) -> Fee:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Problem) and error.status == 503:
            self._caller.give_back(self._n_spent)


class Access:
    """The keys as they are now. `refresh` is called whenever the store may have changed.

    `count_of` says how many inputs a key had answered since a moment; `folder` is what workers share.
    """

    def __init__(self, count_of: Callable[[str, float], int], folder: Path | None = None) -> None:
        self._count_of = count_of
        self._folder = folder
        self._callers: Mapping[str, Caller] = {}
        self.tokens: Tokens | None = None
        """Tokens that are taken beside keys, where the settings name an issuer."""

    def refresh(self, keys: Sequence[Key]) -> None:
        """Take over what the store says of keys; what known ones have used stays."""
        self._callers = {key.id: self._caller(key) for key in keys}

    async def caller_of(self, headers: Mapping[str, str]) -> Caller:
        """Who asks.

        Raises:
            Problem: no key, or one that is unknown, expired or revoked; which of these is not told. Or a token that
                is not valid, or cannot be checked now.
        """
        text = _key_in(headers)
        if text is None:
            raise unknown("a key is needed: send the header 'Authorization: Bearer bk_…'.")
        caller = self._callers.get(identity_in(text) or "")
        if caller is None and self.tokens is not None and text.startswith(JWT):
            return await self.tokens.caller_of(text)
        if caller is None or not is_secret_of(text, caller.key) or not _is_valid(caller.key):
            raise unknown("this key is not valid here: it may be mistyped, expired or revoked.")
        return caller

    def _caller(self, key: Key) -> Caller:
        known = self._callers.get(key.id)
        if known is None:
            return Caller(key, self.allowance_of(key))
        if known.key != key:
            known.renew(key)
        return known

    def allowance_of(self, key: Key) -> Allowance | None:
        """What a key may still ask; None where it has no limit."""
        if key.per_minute is None and key.per_day is None:
            return None
        return Allowance(key, lambda: self._count_of(key.id, time.time() // DAY_S * DAY_S), self._folder)


def has_key(headers: Mapping[str, str]) -> bool:
    """Whether a request brings a key, valid or not."""
    return _key_in(headers) is not None


def allowed(caller: Caller, permission: str, name: str | None = None) -> Caller:
    """The caller, when it may do this (to the model `name`).

    Raises:
        Problem: it may not.
    """
    if not caller.may(permission):
        roles = [role for role, allows in PERMISSIONS.items() if permission in allows]
        raise Problem(403, f"this key may not do that; it takes one of the roles {', '.join(roles)}.")
    if name is not None and not caller.may_ask(name):
        raise Problem(404, f"there is no model '{shown(name)}' for this key.{hint(shown(name), caller.key.models)}")
    return caller


def refuse_narrow(caller: Caller) -> None:
    """Raise `Problem` for a key that is for some models only, where something is about all of them."""
    if caller.key.models:
        raise Problem(403, f"this key is for {', '.join(caller.key.models)} only, and this is about every model.")


def _key_in(headers: Mapping[str, str]) -> str | None:
    said = headers.get("authorization", "")
    if said[:7].lower() == "bearer ":
        return said[7:].strip()
    return headers.get("x-api-key")


def _is_valid(key: Key) -> bool:
    return key.revoked_at is None and (key.expires_at is None or time.time() < key.expires_at)


def unknown(detail: str) -> Problem:
    """401: nobody that may ask anything here."""
    return Problem(401, detail, {"WWW-Authenticate": "Bearer"})
