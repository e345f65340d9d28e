"""Routes that say what they permit. One that says nothing cannot be made: what was not allowed is refused."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, cast

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from burnish.serving.access import OPEN, Caller, allowed
from burnish.serving.service import Service

Endpoint = TypeVar("Endpoint", bound=Callable[..., Any])
MARK = "burnish_permission"


def permits(permission: str) -> Callable[[Endpoint], Endpoint]:
    """Declare what a caller must be allowed to do; `OPEN` for what anybody may ask."""

    def marked(endpoint: Endpoint) -> Endpoint:
        setattr(endpoint, MARK, permission)
        return endpoint

    return marked


def permission_of(endpoint: Callable[..., Any]) -> str:
    """What an endpoint declares.

    Raises:
        TypeError: nothing.
    """
    found = getattr(endpoint, MARK, None)
    if found is None:
        raise TypeError(f"the route {endpoint.__name__} declares no permission")
    return str(found)


class GuardedRoute(APIRoute):
    """A route that looks at the key before anything of the request's body is read."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        self.permission = permission_of(endpoint)
        super().__init__(path, endpoint, **more)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        return self.guarded(super().get_route_handler())

    def guarded(
        self, handler: Callable[[Request], Coroutine[Any, Any, Response]]
    ) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """A handler behind this route's permission."""
        if self.permission == OPEN:
            return handler

        async def guarded(request: Request) -> Response:
            caller = service_of(request).access.caller_of(request.headers)
            request.state.caller = allowed(caller, self.permission, request.path_params.get("name"))
            return await handler(request)

        return guarded


def guarded_routes(router: APIRouter) -> list[GuardedRoute]:
    """The routes of a router."""
    return [route for route in router.routes if isinstance(route, GuardedRoute)]


def service_of(request: Request) -> Service:
    return cast("Service", request.app.state.service)


def caller_of(request: Request) -> Caller:
    """Who asks; the guard has let it through."""
    return cast("Caller", request.state.caller)


def who(request: Request) -> str:
    """The caller, for the audit log."""
    key = caller_of(request).key
    return f"key {key.id} ({key.owner})"
