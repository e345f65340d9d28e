"""Tokens of an issuer beside keys of our own: JWT (RFC 7519) with the checks of RFC 8725.

Only a signature that needs a private key counts, by the key that the issuer publishes under the id that the token
names and with the algorithm of that key; `iss`, `aud`, `exp` and `nbf` are checked. What a token may do is what the
settings make of one of its claims, and nothing where they say nothing. A token that was checked is known until it
expires or its key is withdrawn.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from burnish.core.errors import UserError, hint, listed
from burnish.core.settings import Settings
from burnish.core.shelves import need
from burnish.serving.access import Caller, unknown
from burnish.serving.allowance import Allowance
from burnish.serving.issuer import ALGORITHMS, IssuerKeys, is_safe
from burnish.store.keys import ROLES
from burnish.store.records import Key

if TYPE_CHECKING:
    from jwt import PyJWK

Name = TypeVar("Name")
Value = TypeVar("Value")
LEEWAY_S = 10
"""By which clocks may differ."""
MOST_CHARACTERS = 16_384
MOST_SUBJECT = 128
MOST_KNOWN = 10_000
"""Tokens, and subjects with an allowance, that are remembered."""
WRONG = "this token is not valid here: it may be of another issuer, for another audience, not valid yet, or changed."
EXPIRED = "this token has expired; get a new one from its issuer."


@dataclass(frozen=True)
class Trust:
    """Whose tokens are taken, and for what."""

    issuer: str
    audience: str
    claim: str
    roles: Mapping[str, Sequence[str]]
    """Value of the claim → our roles."""
    per_minute: int | None = None
    per_day: int | None = None

    @classmethod
    def of(cls, own: Settings) -> Trust | None:
        """What the settings say; None where no issuer is trusted.

        Raises:
            UserError: they say it in part, or name an issuer that anybody could pose as.
        """
        if not own.oidc_issuer:
            return None
        if not is_safe(own.oidc_issuer):
            raise UserError(f"BURNISH_OIDC_ISSUER: must be an https:// address; got '{own.oidc_issuer}'.")
        if not own.oidc_audience:
            raise UserError(
                "BURNISH_OIDC_AUDIENCE is missing: without it tokens for every other service of the issuer would be "
                "taken here; give the audience (aud) that it writes into tokens for this server."
            )
        limits = own.oidc_per_minute, own.oidc_per_day
        return cls(own.oidc_issuer, own.oidc_audience, own.oidc_claim, _roles_in(own.oidc_roles), *limits)

    def key_of(self, identity: str, claims: Mapping[str, Any]) -> Key:
        """A checked token, as what it stands in for."""
        said = _values_of(claims, self.claim)
        roles = dict.fromkeys(role for value in said for role in self.roles.get(value, ()))
        return Key(
            identity, "", claims["sub"], tuple(roles), time.time(), expires_at=float(claims["exp"]) + LEEWAY_S,
            per_minute=self.per_minute, per_day=self.per_day,
        )  # fmt: skip


class _Known(NamedTuple):
    """A token that was checked."""

    caller: Caller
    until: float
    by: PyJWK


class Tokens:
    """The tokens of one issuer. `identity_of` makes of a subject the id that stands for it in what is kept."""

    def __init__(
        self, trust: Trust, keys: IssuerKeys, identity_of: Callable[[str], str],
        allowance_of: Callable[[Key], Awaitable[Allowance | None]],
    ) -> None:  # fmt: skip
        need("jwt", "oidc")
        need("cryptography", "oidc")
        self.trust = trust
        self._keys = keys
        self._identity_of = identity_of
        self._allowance_of = allowance_of
        self._known: dict[bytes, _Known] = {}
        self._allowances: dict[str, Allowance | None] = {}
        self._making: dict[str, asyncio.Future[Allowance | None]] = {}

    async def caller_of(self, token: str) -> Caller:
        """Whose token it is.

        Raises:
            Problem: it is not valid here (401), or that cannot be told now (503).
        """
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        known = self._known.get(digest)
        if known is not None and time.time() < known.until and self._keys.has(known.by):
            return known.caller
        self._known.pop(digest, None)
        by = await self._keys.find(_key_id_in(token))
        if by is None:
            raise unknown(WRONG)
        key = await asyncio.to_thread(self._checked, token, by)
        caller = Caller(key, await self._allowance(key))
        _remember(self._known, digest, _Known(caller, caller.key.expires_at or 0.0, by))
        return caller

    def _checked(self, token: str, by: PyJWK) -> Key:
        import jwt

        wanted: Any = {"require": ["iss", "aud", "exp", "sub"]}
        trust = self.trust
        try:
            claims = jwt.decode(
                token, by, algorithms=[by.algorithm_name], audience=trust.audience, issuer=trust.issuer,
                leeway=LEEWAY_S, options=wanted,
            )  # fmt: skip
        except jwt.ExpiredSignatureError:  # its signature is good, so this tells nobody else anything
            raise unknown(EXPIRED) from None
        except (jwt.PyJWTError, RecursionError):
            raise unknown(WRONG) from None
        if not 0 < len(claims["sub"]) <= MOST_SUBJECT:
            raise unknown(f"this token's subject (sub) must have 1 to {MOST_SUBJECT} characters.")
        return trust.key_of(self._identity_of(claims["sub"]), claims)

    async def _allowance(self, key: Key) -> Allowance | None:
        """One for all tokens of a subject: a new token brings no new allowance."""
        if key.id in self._allowances:
            return self._allowances[key.id]
        if key.id not in self._making:  # else another request of the same subject is at it
            self._making[key.id] = asyncio.ensure_future(self._allowance_of(key))
            self._making[key.id].add_done_callback(lambda _: self._making.pop(key.id))
        made = await asyncio.shield(self._making[key.id])
        _remember(self._allowances, key.id, made)
        return made


def _key_id_in(token: str) -> str:
    """The id of the key that a token says it is signed with. Nothing is believed of it yet; it is only looked up.

    Raises:
        Problem: it says none, wants another algorithm than may be, or something that is not understood here.
    """
    import jwt

    if len(token) > MOST_CHARACTERS:
        raise unknown(f"this token is longer than {MOST_CHARACTERS:,} characters.")
    try:
        head = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):
        raise unknown(WRONG) from None
    identity = head.get("kid")
    if head.get("alg") not in ALGORITHMS or not isinstance(identity, str) or "crit" in head:
        raise unknown(WRONG)
    return identity


def _values_of(claims: Mapping[str, Any], claim: str) -> list[str]:
    """What a claim says: a list of texts, or one text with spaces between (as `scope`). `a.b` lies in `a`."""
    value = claims.get(claim)
    if value is None:
        value = claims
        for name in claim.split("."):
            value = value.get(name) if isinstance(value, dict) else None
    if isinstance(value, str):
        return value.split()
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _roles_in(text: str) -> dict[str, list[str]]:
    """Value → roles, of `staff=predict, staff=feedback, ops=admin`.

    Raises:
        UserError: it is not written like that, or names a role that there is not.
    """
    found: dict[str, list[str]] = {}
    for one in filter(None, (piece.strip() for piece in text.split(","))):
        value, _, role = (word.strip() for word in one.rpartition("="))
        if not value or role not in ROLES:
            raise UserError(
                f"BURNISH_OIDC_ROLES: '{one}' must be VALUE=ROLE, as in staff=predict, ops=release."
                f"{hint(role, ROLES)} The roles are {listed(ROLES)}."
            )
        found.setdefault(value, []).append(role)
    if not found:
        raise UserError(
            "BURNISH_OIDC_ROLES is missing: say which values of the claim have which role, as in staff=predict, "
            "ops=release; without it no token may do anything."
        )
    return found


def _remember(known: dict[Name, Value], name: Name, value: Value) -> None:
    """Keep a value; where there are too many, that which was kept first goes."""
    if len(known) >= MOST_KNOWN:
        known.pop(next(iter(known)), None)
    known[name] = value
