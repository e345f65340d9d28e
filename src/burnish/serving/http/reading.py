"""Reading JSON: every fault in one sentence, and nothing without a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import Request

from burnish.serving.limits import Limits
from burnish.serving.problems import Problem, shown

JSON = "application/json"


class ReadRequest(Request):
    """A request whose JSON is read as here, also by FastAPI."""

    limits: Limits

    async def json(self) -> Any:
        if not hasattr(self, "_value"):
            self._value = await read_json(self, self.limits)
        return self._value


async def read_json(request: Request, limits: Limits) -> Any:
    """The body.

    Raises:
        Problem: it is no JSON, nested too deep, or compressed.
    """
    refuse_compressed(request.headers)
    return parsed(await request.body(), limits)


def parsed(body: bytes, limits: Limits) -> Any:
    """JSON. Of a name that is said twice the last one counts.

    Raises:
        Problem: it is none, or nested too deep.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is no JSON that can be read: {error}.") from None
    if isinstance(value, dict | list):
        limits.refuse_deep(value)
    return value


def refuse_compressed(headers: Mapping[str, str]) -> None:
    """Raise `Problem` for a body that would have to be unpacked: nobody knows how large it is then."""
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "the body is compressed; send it as it is.")


def refuse_other_types(headers: Mapping[str, str]) -> None:
    """Raise `Problem` for a body that says it is no JSON; one that says nothing is taken for it."""
    said = headers.get("content-type", JSON).split(";")[0].strip().lower()
    if said != JSON and not said.endswith("+json"):
        raise Problem(415, f"the body is '{shown(said)}'; send JSON, with the header 'Content-Type: {JSON}'.")
