"""One POST to an address outside, such that neither its name nor its answer can lead inside.

The name is resolved once, every address it stands for is checked, one of these is connected to, and the peer's address
is checked again before anything is sent: a name that changes its mind in between (DNS rebinding) leads nowhere. No
redirect is followed, no proxy used; connecting and the whole exchange have deadlines; of the answer only the status and
the headers are read, which the library bounds.
"""

from __future__ import annotations

import http.client
import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
import unicodedata
from collections.abc import Iterable, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, quote, urlsplit

from burnish.core.errors import BurnishError, UserError, listed

CONNECT_S, TOTAL_S = 5.0, 10.0
PORTS = {"https": 443, "http": 80}
METADATA = frozenset(
    ipaddress.ip_address(text) for text in ("168.63.129.16", "169.254.169.254", "100.100.100.200", "fd00:ec2::254")
)
"""Where clouds tell their machines secrets; some of these count as public addresses."""
INSIDE_V6 = tuple(ipaddress.ip_network(text) for text in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32"))
"""IPv6 addresses that hold an IPv4 address (NAT64, 6to4, Teredo)."""
SITE_LOCAL = ipaddress.ip_network("fec0::/10")  # given up in 2004 (RFC 3879), so the library takes it for public
_HOST = re.compile(r"(?=.{1,253}\Z)(?!-)[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_PLAIN = "/%:@!$&'()*+,;=?-._~"  # letters of a path that stay as they are
_NUMBER = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Place = tuple[Any, ...]
"""Family and socket address, as the resolver gives them."""


class Unreachable(BurnishError):
    """Nothing was delivered this time; another try may succeed."""


@dataclass(frozen=True)
class Target:
    """A URL that was looked at and may be connected to."""

    scheme: str
    host: str
    port: int
    path: str
    allow_private: bool

    def __str__(self) -> str:
        """Without path and query: these are often secrets."""
        return f"{self.scheme}://{self.host}:{self.port}"


def target_of(url: str, ports: Iterable[int], allow_private: bool = False) -> Target:
    """The parts of a URL that may be posted to.

    Raises:
        UserError: another scheme than http and https, a name or password in it, a host that is no plain name or
            address, a port that is not allowed, characters that programs read in different ways.
    """
    if fault := _fault_of_text(url):
        raise UserError(f"the webhook's URL {fault}; write it like https://hooks.example.com/burnish.")
    try:
        parts = urlsplit(url)
        port = parts.port or PORTS.get(parts.scheme, 0)
    except ValueError as error:
        raise UserError(f"the webhook's URL cannot be read ({error}).") from None
    if parts.scheme not in PORTS or not parts.netloc:
        raise UserError("the webhook's URL must start with https:// or http://, and name a host.")
    if "@" in parts.netloc:
        raise UserError("the webhook's URL holds a name or a password before an @; leave them out.")
    host = _host_of(parts)
    if port not in ports:
        raise UserError(
            f"the webhook's URL names the port {port}, which is not in its setting `ports` ({listed(ports)})."
        )
    path = quote(parts.path or "/", safe=_PLAIN) + (f"?{quote(parts.query, safe=_PLAIN)}" if parts.query else "")
    return Target(parts.scheme, host, port, path, allow_private)


def _fault_of_text(url: str) -> str | None:
    """What programs read in different ways, or drop before they read on."""
    if not url or any(letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf", "Cs") for letter in url):
        return "is empty, or holds spaces or invisible characters"
    if "\\" in url or "#" in url:
        return "holds a backslash or a #"
    return None


def _host_of(parts: SplitResult) -> str:
    """The host as its name is asked for: lower case, ASCII; a strict IPv4 or IPv6 address stays one."""
    given = parts.hostname or ""
    if "[" in parts.netloc:
        with suppress(ValueError):
            return str(ipaddress.IPv6Address(given))
        raise UserError(f"the webhook's URL names the host '{given}', which is no IPv6 address.")
    if unicodedata.normalize("NFKC", given) != given or "。" in given:
        raise UserError(f"the webhook's URL names the host '{given}' in characters that stand for others.")
    with suppress(UnicodeError):
        name = given.encode("idna").decode().rstrip(".").lower()
        if _HOST.fullmatch(name) and (not _NUMBER.fullmatch(name.rpartition(".")[2]) or _is_ipv4(name)):
            return name
    raise UserError(f"the webhook's URL names the host '{given}', which is neither a name nor a usual IPv4 address.")


def _is_ipv4(text: str) -> bool:
    with suppress(ValueError):
        return bool(ipaddress.IPv4Address(text))
    return False


def refusal(address: Address, allow_private: bool) -> str | None:
    """Why an address must not be connected to; None where it may."""
    inner = getattr(address, "ipv4_mapped", None)
    if inner is not None:
        return refusal(inner, allow_private)
    if address in METADATA or address.is_link_local:
        return "is one where machines are told secrets (link-local, or a cloud's metadata)"
    if any(address in network for network in INSIDE_V6 if network.version == address.version):
        return "holds another address inside"
    if address.is_multicast or address.is_unspecified or (address.is_reserved and not address.is_loopback):
        return "is no address of one machine"
    if (not address.is_global or address in SITE_LOCAL) and not allow_private:
        return "is private, so it leads inside; if it is meant, set `allow_private: true`"
    return None


def post(target: Target, body: bytes, headers: Mapping[str, str]) -> int:
    """Send one POST and return its status code.

    Raises:
        UserError: the host stands for an address that is not allowed.
        Unreachable: it cannot be found or reached, is too slow, or does not speak HTTP.
    """
    started = time.monotonic()
    connection = http.client.HTTPConnection(target.host, target.port)
    try:
        plain = _connected(target, started + CONNECT_S)
        with closing(_secured(target, plain)) as channel, _Deadline(channel, started + TOTAL_S):
            connection.sock = channel
            own = {"Host": _host_header(target), "Connection": "close"}
            connection.request("POST", target.path, body, {**headers, **own})
            return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{target}: {_reason(error)}.") from None
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "did not answer in time"
    if isinstance(error, ssl.SSLError):
        return f"no safe connection can be made ({error.reason or error})"
    return f"cannot be reached ({error})" if isinstance(error, OSError) else "did not answer in HTTP"


def _host_header(target: Target) -> str:
    host = f"[{target.host}]" if ":" in target.host else target.host
    return host if target.port == PORTS[target.scheme] else f"{host}:{target.port}"


def _connected(target: Target, until: float) -> socket.socket:
    """A connection to the first of the host's addresses that answers; none is tried unless all are allowed."""
    places = _resolved(target.host, target.port, until)
    for _, place in places:
        _require_allowed(place[0], target)
    failed: OSError = OSError("it has no address")
    for number, (family, place) in enumerate(places):
        channel = socket.socket(family, socket.SOCK_STREAM)
        try:
            channel.settimeout(_left(until) / (len(places) - number))
            channel.connect(place)
            _require_allowed(channel.getpeername()[0], target)
            channel.settimeout(TOTAL_S - CONNECT_S)
            return channel
        except OSError as error:
            channel.close()
            failed = error
        except UserError:
            channel.close()
            raise
    raise failed


def _left(until: float) -> float:
    """Seconds until then. Raises `TimeoutError` when there are none."""
    left = until - time.monotonic()
    if left <= 0.0:
        raise TimeoutError
    return left


def _require_allowed(address: str, target: Target) -> None:
    reason = refusal(ipaddress.ip_address(address.partition("%")[0]), target.allow_private)
    if reason:
        raise UserError(f"{target}: stands for the address {address}, which {reason}.")


def _resolved(host: str, port: int, until: float) -> list[Place]:
    """At most four addresses of a host. The resolver has no deadline of its own, so a thread waits for it."""
    answers: queue.Queue[list[Place] | OSError] = queue.Queue()

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answers.put([(family, place) for family, _, _, _, place in found])
        except OSError as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True, name="resolve").start()
    try:
        found = answers.get(timeout=_left(until))
    except queue.Empty:
        raise TimeoutError from None
    if isinstance(found, OSError):
        raise found
    return found[:4]


def _secured(target: Target, channel: socket.socket) -> socket.socket:
    if target.scheme == "http":
        return channel
    try:
        return ssl.create_default_context().wrap_socket(channel, server_hostname=target.host)
    except OSError:
        channel.close()
        raise


class _Deadline:
    """Cuts a connection that is still busy at a time, however steadily it trickles."""

    def __init__(self, channel: socket.socket, until: float) -> None:
        self._timer = threading.Timer(max(0.0, until - time.monotonic()), self._cut, [channel])
        self._timer.daemon = True
        self._is_cut = False

    def __enter__(self) -> None:
        self._timer.start()

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        if self._is_cut:
            raise TimeoutError

    def _cut(self, channel: socket.socket) -> None:
        self._is_cut = True
        with suppress(OSError):
            channel.shutdown(socket.SHUT_RDWR)
