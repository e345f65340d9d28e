"""The application: routes, faults, and the description that is made of both and of the tasks in service."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from burnish import __version__
from burnish.core.errors import BurnishError
from burnish.serving.http import administration, feedback, health, inference, models, openai, predict
from burnish.serving.http.description import describe
from burnish.serving.http.door import GONE, Door
from burnish.serving.http.guard import guarded_routes
from burnish.serving.problems import MEDIA_TYPE, Problem, problem_of, shown
from burnish.serving.service import Service

ROUTERS = (health, predict, models, feedback, administration, inference, openai)
ROUTES = [route for module in ROUTERS for route in guarded_routes(module.router)]


def make_app(service: Service) -> Door:
    """Everything that the server answers, for a service that was started."""
    app = FastAPI(
        title="Burnish", version=__version__, docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False
    )
    app.state.service = service
    for module in ROUTERS:
        app.include_router(module.router)
    app.include_router(describe(app, ROUTES))
    for kind in (Problem, BurnishError, HTTPException, RequestValidationError, ClientDisconnect, Exception):
        app.add_exception_handler(kind, _tell)
    return Door(app, service)


async def _tell(request: Request, error: Exception) -> Response:
    """A fault as a problem."""
    match error:
        case ClientDisconnect():
            return Response(status_code=GONE)
        case HTTPException(status_code=HTTPStatus.METHOD_NOT_ALLOWED):
            allowed = ", ".join(_methods_of(request.url.path))
            problem = Problem(405, f"{request.method} is not for this path; it takes {allowed}.", {"Allow": allowed})
        case HTTPException():
            problem = Problem(error.status_code, f"{error.detail}.", error.headers)
        case RequestValidationError():
            problem = Problem(422, _first_fault(error))
        case _:
            problem = problem_of(error)
    return Response(problem.body(), problem.status, problem.headers, MEDIA_TYPE)


def _methods_of(path: str) -> list[str]:
    """Every method of a path; Starlette knows those of the first route only."""
    return sorted({method for route in ROUTES if route.path_regex.match(path) for method in route.methods or ()})


def _first_fault(error: RequestValidationError) -> str:
    faults = error.errors()
    fault, more = faults[0], len(faults) - 1
    place = shown(".".join(str(word) for word in fault["loc"][1:])) or "the body"
    return f"{place}: {fault['msg']}{f'; and {more} more' if more else ''}."
