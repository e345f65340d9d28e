"""An answer in pieces, while the request may still be coming in."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response


class Streamed(Response):
    """Sends pieces as they come. (Starlette's own class listens for the client's leaving meanwhile, and by that takes
    the body from a request that is still being read.)
    """

    def __init__(self, pieces: AsyncGenerator[bytes], media_type: str) -> None:
        super().__init__(media_type=media_type)
        del self.headers["content-length"]
        self._pieces = pieces

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            async with aclosing(self._pieces) as pieces:
                async for piece in pieces:
                    if is_gone(scope):
                        return
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
        except ClientDisconnect:
            return
        await send({"type": "http.response.body", "body": b""})


def is_gone(scope: Any) -> bool:
    """Whether the client has left; its connection says so where the server's own protocol runs."""
    cycle = scope.get("burnish.cycle")
    return cycle is not None and bool(cycle.disconnected)
