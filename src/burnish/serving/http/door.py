"""In front of every route: bodies counted as they come, faults as problem+json, requests counted and logged."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import FastAPI, Request
from starlette.requests import ClientDisconnect

from burnish.serving.http.guard import GuardedRoute
from burnish.serving.http.predict import predict
from burnish.serving.http.predict import router as predict_routes
from burnish.serving.http.turnstile import CLOSING, SAFETY, Turnstile, name_in
from burnish.serving.problems import MEDIA_TYPE, Problem, is_bug, place_of, problem_of
from burnish.serving.service import Service
from burnish.serving.stages import Stages
from burnish.serving.tracing import Told

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
SLOW_S = 1.0
GONE = 499
"""Counted where the client left before it was answered (nginx's number for that)."""


class Door:
    """An ASGI application around another one."""

    def __init__(self, app: FastAPI, service: Service) -> None:
        self.app: App = app
        self.root = app
        self.service = service
        [self._predict] = (one for one in predict_routes.routes if isinstance(one, GuardedRoute))
        self._guarded_predict = self._predict.guarded(predict)
        self.turnstile = Turnstile(service, self._predict.path)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        visit = Visit(scope, receive, send, self.service)
        try:
            await (self._short(scope) or self.app)(scope, visit.receive, visit.send)
        except ClientDisconnect:
            visit.status = visit.status or GONE
        except Exception as error:
            if is_bug(error):
                about = {"kind": type(error).__name__, "where": place_of(error), "route": visit.route}
                self.service.log.tell("error", "This is a bug", **about)
            await visit.refuse(problem_of(error))
        finally:
            self._tell(visit)

    def _short(self, scope: Scope) -> App | None:
        """The short way of the one request that comes a thousand times a second: the same guard and the same endpoint,
        without the layers that look for them, which take as long as an answer.
        """
        name = name_in(scope["path"]) if scope["method"] == "POST" else None
        if name is None:
            return None
        scope.update(app=self.root, route=self._predict, path_params={"name": name}, state={})
        return self._answer

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._guarded_predict(Request(scope, receive))
        await response(scope, receive, send)

    def _tell(self, visit: Visit) -> None:
        metrics, seconds = self.service.metrics, time.perf_counter() - visit.started
        status = visit.status or GONE
        if status == GONE:
            status = visit.cut
        metrics.of(metrics.requests, visit.route, status).inc()
        metrics.of(metrics.latency, visit.route).observe(seconds)
        if status >= 500 and (name := visit.model) is not None:
            self.service.watch.count_error(name)
        if self.service.tracing is not None:
            self.service.tracing.tell(visit.told(status, seconds))
        if (status >= 500 and status != 503) or seconds > SLOW_S:
            self.service.log.tell("info", "request", route=visit.route, status=status, ms=round(seconds * 1000, 1))


class Visit:
    """One request on its way through. It lies in the scope as `burnish.visit`."""

    def __init__(self, scope: Scope, receive: Receive, send: Send, service: Service) -> None:
        self.started = time.perf_counter()
        self.status = 0
        self.batches: list[Stages] = []
        """Those that its inputs were part of, where requests are traced."""
        self.is_counted = True
        """Whether the bytes of its body are; whoever reads it line by line counts those of a line instead."""
        self._scope = scope
        self._receive = receive
        self._send = send
        self._service = service
        self._most_bytes = service.limits.body_bytes
        self._n_bytes = 0
        scope["burnish.visit"] = self

    @property
    def model(self) -> str | None:
        """The model that was asked, where the path names one that is served."""
        found = self._scope.get("path_params", {}).get("name")
        return found if found in self._service.fleet.names else None

    @property
    def route(self) -> str:
        """The route's pattern: a path as it was sent would make a new line of metrics each."""
        found = self._scope.get("route")
        return str(getattr(found, "path", "none"))

    @property
    def cut(self) -> int:
        """The status by which the connection was cut, or that of a client who left."""
        return int(self._scope.get("burnish.cut", GONE))

    def told(self, status: int, seconds: float) -> Told:
        """The request as a trace tells it: the route's pattern, and nothing that was sent."""
        scope, started = self._scope, self.started
        return Told(
            scope["method"], self.route, status, started, started + seconds, scope["headers"], tuple(self.batches)
        )

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._n_bytes += len(message.get("body", b""))
            if self._n_bytes > self._most_bytes and self.is_counted:
                raise Problem(413, f"the body is larger than {self._most_bytes:,} bytes; send it in pieces.")
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            closing = (CLOSING,) if self._service.is_draining else ()
            message["headers"] = [*message.get("headers", ()), *SAFETY, *closing]
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        if self.status:  # an answer is on its way already; it ends here, and the client sees that it is cut
            return
        headers = [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        body = problem.body()
        headers += [(b"content-type", MEDIA_TYPE.encode()), (b"content-length", str(len(body)).encode())]
        await self.send({"type": "http.response.start", "status": problem.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})
