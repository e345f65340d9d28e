"""The keys with which an issuer of tokens signs, as it publishes them (OpenID Connect Discovery 1.0, RFC 7517).

They are fetched when a token first needs them, again in the background when they are some minutes old, and when a token
names a key that is not among them, though not again and again. What an issuer that is away cannot confirm for an hour
lets nobody in.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from burnish.core.errors import BurnishError
from burnish.serving.problems import overloaded

if TYPE_CHECKING:
    from jwt import PyJWK

FRESH_S = 300.0
"""Age from which keys are fetched again while they are still taken."""
KEPT_S = 3600.0
"""Age up to which keys are taken where the issuer does not answer."""
EVERY_S = 10.0
"""Tokens with unknown keys make no more requests to the issuer than one in so many seconds."""
WAIT_S = 5.0
MOST_BYTES = 1 << 20
LEAST_RSA_BITS = 2048
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
"""Of RFC 7518 and 8037 those with a public key: with another kind whoever can check a signature can make one."""
DISCOVERY = "/.well-known/openid-configuration"


class IssuerAway(BurnishError):
    """The issuer's keys cannot be had now."""


class IssuerKeys:
    """The keys of one issuer. For one event loop; `tell` hears why they could not be had."""

    def __init__(self, issuer: str, tell: Callable[[str], None] = lambda reason: None) -> None:
        self.issuer = issuer
        self._tell = tell
        self._keys: Mapping[str, PyJWK] = {}
        self._told: Mapping[str, Any] = {}
        self._fetched_at = self._tried_at = float("-inf")
        self._is_away = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, identity: str) -> PyJWK | None:
        """The key of that id; None where the issuer has none.

        Raises:
            Problem: the issuer does not answer, and whether it has such a key is not known.
        """
        is_needed = not self.is_kept or identity not in self._keys
        fetching = self._begun() if is_needed or self._age_s > FRESH_S else None
        if is_needed and fetching is not None:
            await asyncio.shield(fetching)  # others wait for it too
        if self._is_away and not (self.is_kept and identity in self._keys):
            raise overloaded("the issuer of this token does not answer now, so the token cannot be checked.", WAIT_S)
        return self._keys.get(identity) if self.is_kept else None

    def has(self, key: PyJWK) -> bool:
        """Whether the issuer still signs with a key that was found here."""
        if self._age_s > FRESH_S:
            self._begun()
        return self.is_kept and self._keys.get(key.key_id or "") is key

    @property
    def is_kept(self) -> bool:
        """Whether the keys are new enough to be taken."""
        return self._age_s <= KEPT_S

    @property
    def _age_s(self) -> float:
        return time.monotonic() - self._fetched_at

    def _begun(self) -> asyncio.Task[None] | None:
        """The fetching that runs, or a new one unless the last began just now."""
        if self._fetching is None and time.monotonic() - self._tried_at >= EVERY_S:
            self._tried_at = time.monotonic()
            self._fetching = asyncio.get_running_loop().create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            told = await asyncio.to_thread(published, self.issuer)
            self._keys = {name: self._key(name, one) for name, one in told.items()}
            self._told, self._fetched_at, self._is_away = told, time.monotonic(), False
        except IssuerAway as error:
            self._is_away = True
            self._tell(str(error))
        finally:
            self._fetching = None

    def _key(self, name: str, told: Mapping[str, Any]) -> PyJWK:
        """The key that is known already where it is still the same, so that what it signed stays known."""
        from jwt import PyJWK

        return self._keys[name] if name in self._keys and self._told[name] == told else PyJWK(dict(told))


def published(issuer: str) -> dict[str, Mapping[str, Any]]:
    """Id → key, as the issuer publishes those that it signs with.

    Raises:
        IssuerAway: it does not answer, or not as the standard says.
    """
    about = _read(issuer.rstrip("/") + DISCOVERY)
    if about.get("issuer") != issuer:
        raise IssuerAway(f"{issuer}: its {DISCOVERY} is about another issuer.")
    address = about.get("jwks_uri")
    if not isinstance(address, str) or not is_safe(address):
        raise IssuerAway(f"{issuer}: its {DISCOVERY} names no https address of its keys (jwks_uri).")
    keys = _read(address).get("keys")
    if not isinstance(keys, list):
        raise IssuerAway(f"{issuer}: what it publishes as its keys (jwks_uri) has no list 'keys'.")
    return {one["kid"]: one for one in keys if isinstance(one, dict) and _is_usable(one)}


def is_safe(url: str) -> bool:
    """Whether nobody on the way can change what a URL answers: https, or this machine."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_usable(told: Mapping[str, Any]) -> bool:
    """Whether it is a public key for signatures that are strong enough, with an id."""
    import jwt

    if not isinstance(told.get("kid"), str) or told.get("use", "sig") != "sig":
        return False
    try:
        key = jwt.PyJWK(dict(told))
    except (jwt.PyJWTError, TypeError, ValueError):  # a kind that is not known here is none that can be used
        return False
    return key.algorithm_name in ALGORITHMS and getattr(key.key, "key_size", LEAST_RSA_BITS) >= _least_bits(told)


def _least_bits(told: Mapping[str, Any]) -> int:
    return LEAST_RSA_BITS if told.get("kty") == "RSA" else 0


def _read(url: str) -> Mapping[str, Any]:
    """A JSON object; within some seconds, of some size, and from there and nowhere else."""
    place = f"{urlsplit(url).scheme}://{urlsplit(url).netloc}"
    try:
        with _opener().open(url, timeout=WAIT_S) as answer:
            told = json.loads(_bytes_of(answer, time.monotonic() + WAIT_S))
    except (OSError, HTTPException, ValueError, RecursionError) as error:
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        reason = getattr(error, "reason", None) or error
        raise IssuerAway(f"the issuer of tokens at {place} cannot be asked for its keys ({reason}).") from None
    if not isinstance(told, dict):
        raise IssuerAway(f"the issuer of tokens at {place} answers with something else than a JSON object.")
    return told


def _bytes_of(answer: Any, until: float) -> bytes:
    read = bytearray()
    while piece := answer.read1(65_536):
        read += piece
        if len(read) > MOST_BYTES:
            raise ValueError(f"it answers with more than {MOST_BYTES:,} bytes")
        if time.monotonic() > until:
            raise TimeoutError("it takes too long")
    return bytes(read)


def _opener() -> urllib.request.OpenerDirector:
    return urllib.request.build_opener(_Straight)


class _Straight(urllib.request.HTTPRedirectHandler):
    """No redirect is followed: where keys come from is what the settings say."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> None:
        return None
