"""A signed POST to a URL of yours, tried again until it is taken; to outside addresses unless you allow others."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from dataclasses import asdict

import orjson
from pydantic import Field

from burnish.monitoring.outbound import Unreachable, post, target_of
from burnish.monitoring.sinks._contract import NotDelivered, Sink, secret_of
from burnish.store.records import Alert

LONGEST_WAIT_S = 30.0


class Webhook(Sink):
    """`Burnish-Signature` is `v1,` and base64 of HMAC-SHA256 over `id.timestamp.body` with the secret.

    A receiver checks it with the headers `Burnish-Id` and `Burnish-Timestamp`, refuses old timestamps, and drops an id
    that it has seen: every try for the same state of the same alert has the same id.
    """

    url: str
    """Where to: https, or http."""

    secret_env: str = "BURNISH_WEBHOOK_SECRET"  # noqa: S105  (the name of the variable)
    """The environment variable that holds the secret of the signature."""

    allow_private: bool = False
    """Also addresses of the own machine or network."""

    ports: tuple[int, ...] = (443, 80, 8443, 8080)
    """Ports that may be connected to."""

    n_tries: int = Field(default=4, ge=1, le=10)
    """Tries before it is given up."""

    wait_s: float = Field(default=1.0, ge=0, le=60)
    """Seconds before the second try; twice as long before each further one, 30 at most."""

    def send(self, alert: Alert) -> None:
        target = target_of(self.url, self.ports, self.allow_private)
        secret = secret_of(self.secret_env, "the secret that webhooks are signed with")
        delivery = f"{alert.id}_{alert.state}"
        body = orjson.dumps({"id": delivery, "type": f"alert.{alert.state}", "alert": asdict(alert)})
        problem = ""
        for number in range(self.n_tries):
            if number:
                time.sleep(min(LONGEST_WAIT_S, self.wait_s * 2 ** (number - 1)))
            try:
                status = post(target, body, _headers(delivery, body, secret))
            except Unreachable as error:
                problem = str(error)
                continue
            if 200 <= status < 300:
                return
            problem = f"{target}: answered {status}{_meaning(status)}."
            if not _is_passing(status):
                break
        raise NotDelivered(f"the alert {alert.id} was not delivered: {problem}")


def signature(secret: str, delivery: str, timestamp: str, body: bytes) -> str:
    """`v1,…`: what a receiver computes and compares in constant time."""
    digest = hmac.digest(secret.encode(), f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(digest).decode()}"


def _headers(delivery: str, body: bytes, secret: str) -> dict[str, str]:
    timestamp = str(int(time.time()))
    return {
        "Content-Type": "application/json",
        "User-Agent": "burnish",
        "Burnish-Id": delivery,
        "Burnish-Timestamp": timestamp,
        "Burnish-Signature": signature(secret, delivery, timestamp, body),
    }


def _is_passing(status: int) -> bool:
    """Whether the next try may be taken: too early, too many, or the server's own trouble."""
    return status in (408, 425, 429) or status >= 500


def _meaning(status: int) -> str:
    return ", a redirect, which is not followed" if 300 <= status < 400 else ""
