"""The application: routes, faults, and the description that is made of both and of the tasks in service."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from burnish import __version__
from burnish.core.errors import GateMissed, NotFound, UserError
from burnish.serving.http import administration, feedback, health, inference, models, openai, predict
from burnish.serving.http.description import describe
from burnish.serving.http.door import Door
from burnish.serving.http.guard import guarded_routes
from burnish.serving.problems import MEDIA_TYPE, Problem, overloaded
from burnish.serving.service import Service
from burnish.store.corrections import OtherBody
from burnish.store.store import StoreUnavailable

ROUTERS = (health, predict, models, feedback, administration, inference, openai)
ROUTES = [route for module in ROUTERS for route in guarded_routes(module.router)]


def make_app(service: Service) -> Door:
    """Everything that the server answers, for a service that was started."""
    app = FastAPI(title="Burnish", version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.service = service
    for module in ROUTERS:
        app.include_router(module.router)
    app.include_router(describe(app, ROUTES))
    _tell_faults(app)
    return Door(app, service)


def _tell_faults(app: FastAPI) -> None:
    """Every fault becomes a problem."""
    problems = {
        Problem: lambda error: error,
        StoreUnavailable: lambda error: overloaded("the store does not answer now; nothing was changed.", 2),
        NotFound: lambda error: Problem(404, str(error)),
        GateMissed: lambda error: Problem(409, str(error)),
        OtherBody: lambda error: Problem(422, str(error)),
        UserError: lambda error: Problem(422, str(error)),
        HTTPException: lambda error: Problem(error.status_code, f"{error.detail}.", error.headers),
        RequestValidationError: lambda error: Problem(422, _first_fault(error)),
        Exception: lambda error: Problem(500, "This is a bug of the server; its log tells more."),
    }
    for kind, problem in problems.items():

        async def answer(request: Request, error: Exception, problem: Any = problem) -> Response:
            found: Problem = problem(error)
            return Response(found.body(), found.status, found.headers, MEDIA_TYPE)

        app.add_exception_handler(kind, answer)


def _first_fault(error: RequestValidationError) -> str:
    faults = error.errors()
    fault, more = faults[0], len(faults) - 1
    place = ".".join(str(word) for word in fault["loc"][1:]) or "the body"
    return f"{place}: {fault['msg']}{f'; and {more} more' if more else ''}."
