"""Corrections: of one's own answers with the role feedback, of every answer with the role review."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from burnish.bundle.bundle import Knowledge
from burnish.core.ids import made_at, new_id
from burnish.feedback.corrections import check
from burnish.feedback.keeping import kept
from burnish.serving.http.guard import GuardedRoute, caller_of, desk_of, masked, permits, service_of, who
from burnish.serving.http.reading import JSON
from burnish.serving.http.shapes import SAYS, Decision, Said
from burnish.serving.journals import waits_since
from burnish.serving.problems import Problem, overloaded
from burnish.serving.service import Service
from burnish.store.corrections import OtherBody, Token
from burnish.store.keys import SUBJECT
from burnish.store.records import Feedback, FeedbackState, Kind, Prediction

router = APIRouter(route_class=GuardedRoute)
KINDS: Sequence[Kind] = SAYS
MOST_TOKEN = 200
MOST_SHOWN = 1000
MOMENT_S = 60.0
"""So long ago a prediction may have been made that is still in a journal, though the database is there."""


@router.post("/v1/feedback")
@permits("feedback", is_narrow=True)
async def give(request: Request, said: Said) -> Response:
    """Correct an answer. Once this is answered it is on disk; sent again with the same `Idempotency-Key` it is not
    kept twice.
    """
    service, key = service_of(request), caller_of(request).key
    token = _token(request, said)
    known = None if token is None else await _known(service, token)
    if known is not None:
        return Response(known, media_type=JSON)
    prediction = await _prediction(request, said.prediction_id)
    kind, value = _said(said)
    knowledge = await _checked(service, prediction, kind, value, allow_new_labels=caller_of(request).may("review"))
    feedback = Feedback(
        new_id("f"), time.time(), prediction.id, prediction.name, prediction.version, key.id, kind,
        await _kept(service, prediction, kind, value, knowledge), await masked(request, said.comment),
    )  # fmt: skip
    if key.id.startswith(SUBJECT):
        await desk_of(request).do(service.home.keys.hear, key.id, key.roles)
    answer = orjson.dumps({"feedback_id": feedback.id, "state": feedback.state}).decode()
    told = await _add(service, feedback, token, answer)
    if told == answer:
        service.metrics.of(service.metrics.feedback, prediction.name, feedback.state).inc()
    return Response(told, media_type=JSON)


@router.get("/v1/feedback")
@permits("review")
async def feedback(
    request: Request, name: str, state: FeedbackState | None = None, since: float = 0.0,
    most: Annotated[int, Query(ge=1, le=MOST_SHOWN)] = 100,
) -> dict[str, Any]:  # fmt: skip
    """What was said of the answers of a model, newest first."""
    home, states = service_of(request).home, () if state is None else (state,)
    newest, total = await desk_of(request).do(_newest, home.corrections.of_period(name, since, states=states), most)
    return {"feedback": [asdict(one) for one in newest], "total": total}


@router.post("/v1/feedback/decide")
@permits("review", is_narrow=True)
async def decide(request: Request, decision: Decision) -> dict[str, int]:
    """Accept feedback, put it aside, or reject it; a key for some models decides on theirs only."""
    home, caller = service_of(request).home, caller_of(request)
    reason, ids = await masked(request, decision.reason), decision.ids
    if caller.key.models:
        ids = await desk_of(request).do(_of_models, service_of(request), caller.key.models, set(ids))
    decisions = dict.fromkeys(ids, (decision.state, reason))
    return {"decided": await desk_of(request).do(home.corrections.decide, decisions, who(request))}


@router.get("/v1/predictions/{prediction_id}")
@permits("feedback", is_narrow=True)
async def prediction(request: Request, prediction_id: str) -> dict[str, Any]:
    """What was answered, as far as it was kept: one's own, or any with the role review."""
    found = asdict(await _prediction(request, prediction_id))
    return {name: value for name, value in found.items() if name not in ("vector", "input_digest", "key")}


async def _prediction(request: Request, identity: str) -> Prediction:
    """A prediction that the caller may see; one of another key is not there for it, and is refused as one that is not.

    Raises:
        Problem: it is not there: 404, or 503 where it may be on its way into the database.
    """
    caller, made_s = caller_of(request), made_at(identity, "p")

    def is_seen(found: Prediction) -> bool:
        return found.key == caller.key.id or (caller.may("review") and caller.may_ask(found.name))

    found, may_come = None, False
    if made_s is not None:
        found, may_come = await desk_of(request).do(_look_up, service_of(request), identity, made_s, is_seen)
    if found is not None:
        return found
    if may_come:
        raise overloaded("there is no prediction of that id for this key yet; it may be on its way.", 2)
    raise Problem(404, "there is no prediction of that id for this key.")


def _look_up(
    service: Service, identity: str, made_s: float, is_seen: Callable[[Prediction], bool]
) -> tuple[Prediction | None, bool]:
    """A prediction that may be seen; else whether it may come: from the journal of another machine, which none but that
    one can read, or from here, where many wait after the database was away for a while.
    """
    find, now = service.home.predictions.find, time.time()
    found = find(identity)
    if found is not None and is_seen(found):
        return found, False
    since = waits_since(service.journal.folder)
    if since > now - MOMENT_S and abs(now - made_s) < MOMENT_S:
        service.journal.flush(of_others=True)
        may_come = not service.is_alone
    else:
        may_come = since < made_s + MOMENT_S
    found = find(identity)  # again: it may have been moved between both looks
    return (found if found is not None and is_seen(found) else None), may_come


async def _checked(
    service: Service, prediction: Prediction, kind: str, value: Any, *, allow_new_labels: bool
) -> Knowledge:
    """Refuse what cannot be meant: judged by what answers for the name now, or answered then where nothing does.

    Returns:
        What that version knows.
    """
    if prediction.name in service.fleet.names:
        release = service.fleet.routing(prediction.name).main
    else:
        find = service.home.releases.find
        release = await service.desk.do(find, f"{prediction.name}:{prediction.version}")
    knowledge = await service.knowledge_of(release)
    try:
        check(kind, value, knowledge.task, knowledge.labels, prediction, allow_new_labels=allow_new_labels)
    except ValueError as error:
        raise Problem(422, str(error)) from None
    return knowledge


async def _kept(service: Service, prediction: Prediction, kind: Kind, value: Any, knowledge: Knowledge) -> Any:
    """What is kept of what was said; names are looked for in a thread."""
    recorder = service.recorder
    if recorder.keep == "full":
        return value
    return await asyncio.to_thread(kept, kind, value, knowledge.task, knowledge.labels, prediction, recorder.mask)


def _said(said: Said) -> tuple[Kind, Any]:
    given: list[tuple[Kind, Any]] = [(kind, getattr(said, kind)) for kind in KINDS if getattr(said, kind) is not None]
    if len(given) != 1:
        raise Problem(422, f"say exactly one of label, spans, score and accepted; got {len(given)} of them.")
    return given[0]


def _token(request: Request, said: Said) -> Token | None:
    """What the client calls this request: of that, and of the body, only keyed hashes are kept."""
    text = request.headers.get("idempotency-key")
    if text is None:
        return None
    if not 0 < len(text) <= MOST_TOKEN or not text.isprintable():
        raise Problem(400, f"Idempotency-Key must have 1 to {MOST_TOKEN} printable characters.")
    digest_of = service_of(request).home.digest_of
    body = orjson.dumps(said.model_dump(), option=orjson.OPT_SORT_KEYS)
    return Token(caller_of(request).key.id, digest_of(text.encode()), digest_of(body))


async def _known(service: Service, token: Token) -> str | None:
    try:
        return await service.desk.do(service.home.corrections.known_answer, token)
    except OtherBody:
        raise _used_already() from None


async def _add(service: Service, feedback: Feedback, token: Token | None, answer: str) -> str:
    """Keep it; of the same request twice at once the first counts, and both get its answer."""
    try:
        return await service.desk.do(service.home.corrections.add, [feedback], token, answer)
    except OtherBody:
        raise _used_already() from None


def _used_already() -> Problem:
    return Problem(422, "this Idempotency-Key was used for another request; use a new one for each.")


def _newest(found: Iterator[Feedback], most: int) -> tuple[list[Feedback], int]:
    """The last of them, newest first, and how many there are."""
    newest, total = deque[Feedback](maxlen=most), 0
    for one in found:
        newest.append(one)
        total += 1
    return list(reversed(newest)), total


def _of_models(service: Service, names: Sequence[str], ids: set[str]) -> list[str]:
    """Those of some feedback that are on the models of a key."""
    return [one.id for name in names for one in service.home.corrections.of_period(name) if one.id in ids]
