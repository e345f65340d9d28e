"""`work`: what a worker does with jobs: one after the other, its lease renewed while it is at one."""

from __future__ import annotations

import os
import socket
import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from burnish.core.errors import BurnishError, UserError, hint, listed
from burnish.core.events import Event, Listener, Message, Progress, ignore
from burnish.core.settings import settings
from burnish.recipe.faults import demand
from burnish.store.home import Home, opened_home
from burnish.store.jobs import EVERY, StaleLease
from burnish.store.records import Job
from burnish.store.releases import NAME
from burnish.store.store import StoreUnavailable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from burnish.flows.retraining import Retraining

RENEW_EVERY_S = 5.0
LOOK_EVERY_S = 1.0
DAY_S = 86_400
FOREVER_S = 100 * 366 * DAY_S
OVER = "is_over"
"""In the result of a job that would come again: it need not."""

Done = dict[str, Any]
Kind = Callable[[Home, Mapping[str, Any], str, Listener], Done]


def work(*, is_once: bool = False, listen: Listener = ignore, is_stopped: Callable[[], bool] = bool) -> int:
    """Do jobs until `is_stopped`, or, `is_once`, until none is due; returns how many were done.

    A job is done by one worker at a time. When a worker dies, another begins its job anew once the lease has run out.
    """
    worker = f"{socket.gethostname()}:{os.getpid()}"
    n_done = 0
    with opened_home() as home:
        while not is_stopped():
            job = _leased(home, worker, listen)
            if job is not None:
                _do(home, job, listen)
                n_done += 1
            elif is_once:
                break
            else:
                time.sleep(LOOK_EVERY_S)
    return n_done


def refuse_unknown_job(kind: str, arguments: Mapping[str, Any]) -> None:
    """Raise `UserError` for a job that no worker can do: now, and not when it is due."""
    if kind not in KINDS:
        raise UserError(f"there is no kind of job '{kind}'.{hint(kind, KINDS)} There are {listed(KINDS)}.")
    name = arguments.get("name")
    if kind != "purge" and not (isinstance(name, str) and NAME.fullmatch(name)):
        raise UserError(f"a job '{kind}' needs the name of a model: name=intent.")
    every = arguments.get(EVERY)
    is_number = isinstance(every, int | float) and not isinstance(every, bool)
    if every is not None and not (is_number and 0 < every < FOREVER_S):
        raise UserError(f"{EVERY} must be a number of seconds above 0; got {every!r}.")
    if kind == "retrain":
        _retraining(arguments)
        return
    known = (*(() if kind == "purge" else ("name",)), EVERY)
    for word in arguments:
        if word not in known:
            raise UserError(f"a job '{kind}' takes no '{word}'.{hint(word, known)} It takes {listed(known)}.")


def _leased(home: Home, worker: str, listen: Listener) -> Job | None:
    try:
        return home.jobs.lease(worker, tuple(KINDS))
    except StoreUnavailable as error:
        listen(Message(str(error), "warning"))
        return None


def _do(home: Home, job: Job, listen: Listener) -> None:
    watch = Watch(home, job, listen)
    try:
        with watch:
            result, is_done = _result(home, job, watch)
        home.jobs.finish(job, result, is_done=is_done, is_over=bool(result.get(OVER)), log=watch.log)
    except StaleLease as error:
        listen(Message(str(error), "warning"))
    except StoreUnavailable as error:
        listen(Message(f"{error} The job {job.id} is begun anew once its lease has run out.", "warning"))


def _result(home: Home, job: Job, watch: Watch) -> tuple[Done, bool]:
    """What came of a job, and whether it was done; whatever it stumbles over, the next job has its turn."""
    try:
        watch.tell(Message(f"{job.kind} {job.arguments.get('name', '')} ({job.id}, try {job.attempts})"))
        refuse_unknown_job(job.kind, job.arguments)
        return KINDS[job.kind](home, job.arguments, f"job {job.id}", watch.tell), True
    except (StaleLease, StoreUnavailable):
        raise
    except BurnishError as error:
        reason = str(error)
    except Exception as error:
        reason = f"This is a bug. The job stopped with {type(error).__name__}: {error}."
        watch.log += "".join(traceback.format_exception(error))
    watch.tell(Message(reason, "warning"))
    return {"reason": reason}, False


@dataclass
class Watch:
    """Renews a lease in a thread while its job is done; what the job tells is kept with it."""

    home: Home
    job: Job
    listen: Listener
    log: str = ""
    _progress: dict[str, Any] | None = None
    _lost: StaleLease | None = None
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def tell(self, event: Event) -> None:
        """Note what happens, and stop the job here where its lease was lost: its end would not count.

        Each message asks the store whether the lease still holds: a verb that says what it is about to do does not do
        it where another worker has taken over, though this one was stopped for minutes.

        Raises:
            StaleLease: another worker has taken over, or the job was cancelled.
        """
        if isinstance(event, Message):
            self.log += f"{time.strftime('%H:%M:%S')} {event.text}\n"
            self._renew()
        else:
            self._progress = _told(event)
        if self._lost is not None:
            raise self._lost
        self.listen(event)

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._keep, daemon=True)
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()

    def _keep(self) -> None:
        while self._lost is None and not self._ended.wait(RENEW_EVERY_S):
            self._renew()

    def _renew(self) -> None:
        try:
            self.home.jobs.renew(self.job, self._progress, self.log)
        except StaleLease as error:
            self._lost = error
        except StoreUnavailable:
            return  # a lease outlives a short absence


def _told(progress: Progress) -> dict[str, Any]:
    return {"stage": progress.stage, "done": progress.done, "total": progress.total, "unit": progress.unit}


def _retrain(home: Home, arguments: Mapping[str, Any], by: str, listen: Listener) -> Done:
    from burnish.flows.retrain import retrain_once

    overrides = arguments.get("overrides", ())
    result = retrain_once(home, arguments["name"], overrides, _retraining(arguments), by, listen)
    verdict = None if result.verdict is None else result.verdict.to_dict()
    told = {"version": result.release.version, "is_passed": result.release.is_passed, "is_promoted": result.is_promoted}
    told |= {"is_canary": result.is_canary}
    return {**told, "verdict": verdict, "learned": len(result.taught.rows)}


def _retraining(arguments: Mapping[str, Any]) -> Retraining:
    from burnish.flows.retraining import Retraining

    overrides = arguments.get("overrides", [])
    if not isinstance(overrides, list | tuple) or not all(isinstance(one, str) for one in overrides):
        raise UserError(f"overrides must be a list of texts such as [data.train=rows.csv]; got {overrides!r}.")
    own = {key: value for key, value in arguments.items() if key not in ("name", "overrides", EVERY)}
    try:
        return Retraining.model_validate(own)
    except ValidationError as error:
        raise UserError(*(_fault(one, Retraining.model_fields) for one in error.errors())) from None


def _fault(details: ErrorDetails, known: Collection[str]) -> str:
    place = ".".join(map(str, details["loc"]))
    if details["type"] == "extra_forbidden" and len(details["loc"]) == 1:
        words = ["name", "overrides", *known, EVERY]
        return f"a job 'retrain' takes no '{place}'.{hint(place, words)} It takes {listed(words)}."
    if details["type"] == "extra_forbidden":
        return f"{place} is not a setting."
    wanted = demand(details)
    reason = str(details["msg"]).removeprefix("Value error, ")
    return f"{place} {wanted}" if wanted else f"{place}: {reason.rstrip('.')}."


def _monitor(home: Home, arguments: Mapping[str, Any], by: str, listen: Listener) -> Done:
    from burnish.flows.monitor import look

    return look(home, arguments["name"], by, listen)


def _canary(home: Home, arguments: Mapping[str, Any], by: str, listen: Listener) -> Done:
    from burnish.flows.canary import decide_on

    found = decide_on(home, arguments["name"], by, listen)
    if found is None:
        return {"state": "none", "reason": "no canary is on trial", OVER: True}
    return {"state": found.state, "reason": found.sentence, OVER: found.state != "waiting"}


def _purge(home: Home, arguments: Mapping[str, Any], by: str, listen: Listener) -> Done:
    n_gone = home.predictions.purge(time.time() - settings().retention_days * DAY_S, by)
    home.corrections.forget_tokens(time.time() - 2 * DAY_S)
    home.jobs.purge(time.time() - settings().retention_days * DAY_S)
    listen(Message(f"deleted {n_gone:,} predictions older than {settings().retention_days} days"))
    return {"deleted": n_gone}


KINDS: Mapping[str, Kind] = {"retrain": _retrain, "monitor": _monitor, "canary": _canary, "purge": _purge}
