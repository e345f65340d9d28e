"""Routes that say what they permit. One that says nothing cannot be made: what was not allowed is refused."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, NamedTuple, TypeVar, cast

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from burnish.serving.access import OPEN, Caller, allowed, refuse_narrow
from burnish.serving.desk import Desk
from burnish.serving.http.reading import ReadRequest, refuse_other_types
from burnish.serving.problems import Problem, shown
from burnish.serving.service import Service
from burnish.store.releases import NAME

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
MARK = "burnish_permission"


class Permission(NamedTuple):
    """What a caller must be allowed to do. `is_narrow`: the route itself leaves out what a key for some models may not
    see; others that name no model are not for such a key.
    """

    name: str
    is_narrow: bool = False


def permits(permission: str, *, is_narrow: bool = False) -> Callable[[Endpoint], Endpoint]:
    """Declare what a caller must be allowed to do; `OPEN` for what anybody may ask."""

    def marked(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, MARK, Permission(permission, is_narrow))
        return endpoint

    return marked


def permission_of(endpoint: Callable[..., Any]) -> Permission:
    """What an endpoint declares.

    Raises:
        TypeError: nothing.
    """
    found = getattr(endpoint, MARK, None)
    if not isinstance(found, Permission):
        raise TypeError(f"the route {endpoint.__name__} declares no permission")
    return found


class GuardedRoute(APIRoute):
    """A route that looks at the key before anything of the request's body is read, and reads JSON as all of them do."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        self.permission, self.is_narrow = permission_of(endpoint)
        super().__init__(path, endpoint, **{**more, "strict_content_type": False})

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        return self.guarded(_reading(handler) if self.body_field is not None else handler)

    def guarded(self, handler: Handler) -> Handler:
        """A handler behind this route's permission."""
        if self.permission == OPEN:
            return handler

        async def guarded(request: Request) -> Response:
            caller = await service_of(request).access.caller_of(request.headers)
            name = self._name_in(request)
            request.state.caller = allowed(caller, self.permission, name)
            if name is None and not self.is_narrow:
                refuse_narrow(caller)
            return await handler(request)

        return guarded

    def _name_in(self, request: Request) -> str | None:
        """The model that is meant, where the path or, on some routes, the query names one.

        Raises:
            Problem: it is no name.
        """
        name: str | None = request.path_params.get("name")
        if name is None and any(one.name == "name" for one in self.dependant.query_params):
            name = request.query_params.get("name")
        if name is not None and not NAME.fullmatch(name):
            raise Problem(404, f"there is no model {shown(name)!r}: a name has up to 64 of a-z 0-9 . _ -")
        return name


def _reading(handler: Handler) -> Handler:
    """A handler for which the body was read: FastAPI's own reading has no bounds and other words."""

    async def reading(request: Request) -> Response:
        read = ReadRequest(request.scope, request.receive)
        read.limits = service_of(request).limits
        refuse_other_types(read.headers)
        await read.json()
        return await handler(read)

    return reading


def guarded_routes(router: APIRouter) -> list[GuardedRoute]:
    """The routes of a router."""
    return [route for route in router.routes if isinstance(route, GuardedRoute)]


def service_of(request: Request) -> Service:
    return cast("Service", request.app.state.service)


def desk_of(request: Request) -> Desk:
    """Where a route waits for the database."""
    return service_of(request).desk


def caller_of(request: Request) -> Caller:
    """Who asks; the guard has let it through."""
    return cast("Caller", request.state.caller)


async def masked(request: Request, text: str) -> str:
    """What somebody wrote, without personal data unless inputs are kept with it. Names are looked for in a thread."""
    recorder = service_of(request).recorder
    if recorder.keep == "full" or not text:
        return text
    return (recorder.mask(text) if recorder.mask.names is None else await asyncio.to_thread(recorder.mask, text)).text


def who(request: Request) -> str:
    """The caller, for the audit log."""
    key = caller_of(request).key
    return f"key {key.id} ({key.owner})"
