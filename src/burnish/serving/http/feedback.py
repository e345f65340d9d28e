"""Corrections: of one's own answers with the role feedback, of every answer with the role review."""

from __future__ import annotations

import asyncio
import hashlib
import time
from dataclasses import asdict
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from burnish.core.ids import new_id
from burnish.feedback.corrections import check
from burnish.serving.http.guard import GuardedRoute, caller_of, permits, service_of, who
from burnish.serving.http.shapes import Decision, Said
from burnish.serving.problems import Problem
from burnish.serving.service import Service
from burnish.store.corrections import Token
from burnish.store.records import Feedback, Kind, Prediction

router = APIRouter(route_class=GuardedRoute)
KINDS: tuple[Kind, ...] = ("label", "spans", "score", "accepted")
MOST_TOKEN = 200


@router.post("/v1/feedback")
@permits("feedback")
async def give(request: Request, said: Said) -> Response:
    """Correct an answer. Once this is answered it is on disk; sent again with the same `Idempotency-Key` it is not
    kept twice.
    """
    service, key = service_of(request), caller_of(request).key
    token = _token(request, key.id, said)
    if (
        token is not None
        and (known := await asyncio.to_thread(service.home.corrections.known_answer, token)) is not None
    ):
        return Response(known, media_type="application/json")
    prediction = await _prediction(request, said.prediction_id)
    kind, value = _said(said)
    await _check(service, prediction, kind, value)
    feedback = Feedback(
        new_id("f"), time.time(), prediction.id, prediction.name, prediction.version, key.id, kind, value, said.comment
    )
    answer = orjson.dumps({"feedback_id": feedback.id, "state": feedback.state}).decode()
    kept = await asyncio.to_thread(service.home.corrections.add, [feedback], token, answer)
    service.metrics.of(service.metrics.feedback, prediction.name, feedback.state).inc()
    return Response(kept, media_type="application/json")


@router.get("/v1/feedback")
@permits("review")
async def feedback(request: Request, name: str, state: str = "", since: float = 0.0, most: int = 100) -> dict[str, Any]:
    """What was said of the answers of a model, newest first."""
    home = service_of(request).home
    states = [state] if state else []
    found = await asyncio.to_thread(lambda: list(home.corrections.of_period(name, since, states=states)))
    return {"feedback": [asdict(one) for one in reversed(found[-max(1, min(most, 1000)) :])], "total": len(found)}


@router.post("/v1/feedback/decide")
@permits("review")
async def decide(request: Request, decision: Decision) -> dict[str, int]:
    """Accept feedback, put it aside, or reject it."""
    home = service_of(request).home
    decisions = dict.fromkeys(decision.ids, (decision.state, decision.reason))
    return {"decided": await asyncio.to_thread(home.corrections.decide, decisions, who(request))}


@router.get("/v1/predictions/{prediction_id}")
@permits("feedback")
async def prediction(request: Request, prediction_id: str) -> dict[str, Any]:
    """What was answered, as far as it was kept: one's own, or any with the role review."""
    found = asdict(await _prediction(request, prediction_id))
    return {name: value for name, value in found.items() if name not in ("vector", "input_digest", "key")}


async def _prediction(request: Request, identity: str) -> Prediction:
    """A prediction that the caller may see; one of another key is not there for it."""
    service, caller = service_of(request), caller_of(request)
    found = await asyncio.to_thread(service.home.predictions.find, identity)
    if found is None:  # answered a moment ago: still in the journal
        await asyncio.to_thread(service.journal.flush, of_others=True)
        found = await asyncio.to_thread(service.home.predictions.find, identity)
    if found is None or (found.key != caller.key.id and not caller.sees()):
        raise Problem(404, "there is no prediction of that id for this key.")
    return found


async def _check(service: Service, prediction: Prediction, kind: str, value: Any) -> None:
    release = await asyncio.to_thread(service.home.releases.find, f"{prediction.name}:{prediction.version}")
    current = service.fleet.routing(prediction.name).main if prediction.name in service.fleet.names else release
    predictor = await service.predictor_of(current)
    try:
        check(kind, value, predictor.task, predictor.knowledge.labels, prediction, allow_new_labels=False)
    except ValueError as error:
        raise Problem(422, str(error)) from None


def _said(said: Said) -> tuple[Kind, Any]:
    given: list[tuple[Kind, Any]] = [(kind, getattr(said, kind)) for kind in KINDS if getattr(said, kind) is not None]
    if len(given) != 1:
        raise Problem(422, f"say exactly one of label, spans, score and accepted; got {len(given)} of them.")
    return given[0]


def _token(request: Request, key: str, said: Said) -> Token | None:
    text = request.headers.get("idempotency-key")
    if text is None:
        return None
    if not 0 < len(text) <= MOST_TOKEN or not text.isprintable():
        raise Problem(400, f"Idempotency-Key must have 1 to {MOST_TOKEN} printable characters.")
    body = orjson.dumps(said.model_dump(), option=orjson.OPT_SORT_KEYS)
    return Token(key, text, hashlib.sha256(body).hexdigest())
