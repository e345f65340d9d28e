"""`work`: what a worker does with jobs: one after the other, its lease renewed while it is at one."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from burnish.core.errors import BurnishError, UserError, hint, listed
from burnish.core.events import Event, Listener, Message, Progress, ignore
from burnish.core.settings import settings
from burnish.store.home import Home, opened_home
from burnish.store.jobs import StaleLease
from burnish.store.records import Job
from burnish.store.store import StoreUnavailable

RENEW_EVERY_S = 5.0
LOOK_EVERY_S = 1.0
DAY_S = 86_400
EVERY = "every_s"
"""Argument of any job: seconds after which it is due again."""

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
    if kind != "purge" and not isinstance(arguments.get("name"), str):
        raise UserError(f"a job '{kind}' needs the name of a model: name=intent.")
    every = arguments.get(EVERY)
    if every is not None and not (isinstance(every, int | float) and every > 0):
        raise UserError(f"{EVERY} must be a number of seconds above 0; got {every!r}.")
    if kind == "retrain":
        _retraining(arguments)


def _leased(home: Home, worker: str, listen: Listener) -> Job | None:
    try:
        return home.jobs.lease(worker, tuple(KINDS))
    except StoreUnavailable as error:
        listen(Message(str(error), "warning"))
        return None


def _do(home: Home, job: Job, listen: Listener) -> None:
    watch = Watch(home, job, listen)
    watch.tell(Message(f"{job.kind} {job.arguments.get('name', '')} ({job.id}, try {job.attempts})".strip()))
    try:
        with watch:
            result = KINDS[job.kind](home, job.arguments, f"job {job.id}", watch.tell)
        home.jobs.finish(job, result, log=watch.log)
    except StaleLease as error:
        listen(Message(str(error), "warning"))
        return
    except BurnishError as error:
        watch.tell(Message(str(error), "warning"))
        home.jobs.finish(job, {"reason": str(error)}, is_done=False, log=watch.log)
    if EVERY in job.arguments:
        home.jobs.add(job.kind, job.arguments, f"job {job.id}", time.time() + job.arguments[EVERY])


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

        Raises:
            StaleLease: another worker has taken over, or the job was cancelled.
        """
        if self._lost is not None:
            raise self._lost
        if isinstance(event, Message):
            self.log += f"{time.strftime('%H:%M:%S')} {event.text}\n"
        else:
            self._progress = _told(event)
        self.listen(event)

    def __enter__(self) -> None:
        self._thread = threading.Thread(target=self._renew, daemon=True)
        self._thread.start()

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()

    def _renew(self) -> None:
        while not self._ended.wait(RENEW_EVERY_S):
            try:
                self.home.jobs.renew(self.job, self._progress, self.log)
            except StaleLease as error:
                self._lost = error
                return
            except StoreUnavailable:
                continue


def _told(progress: Progress) -> dict[str, Any]:
    return {"stage": progress.stage, "done": progress.done, "total": progress.total, "unit": progress.unit}


def _retrain(home: Home, arguments: Mapping[str, Any], by: str, listen: Listener) -> Done:
    from burnish.flows.retrain import retrain_once

    overrides = arguments.get("overrides", ())
    result = retrain_once(home, arguments["name"], overrides, _retraining(arguments), by, listen)
    verdict = None if result.verdict is None else result.verdict.to_dict()
    told = {"version": result.release.version, "is_passed": result.release.is_passed, "is_promoted": result.is_promoted}
    return {**told, "verdict": verdict, "learned": len(result.taught.rows)}


def _retraining(arguments: Mapping[str, Any]) -> Any:
    from burnish.flows.retrain import Retraining

    own = {key: value for key, value in arguments.items() if key not in ("name", "overrides", EVERY)}
    try:
        return Retraining.model_validate(own)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(map(str, fault["loc"]))
        near = hint(place, Retraining.model_fields)
        raise UserError(f"{place}: {fault['msg'].lower()}; got {fault['input']!r}.{near}") from None


def _monitor(home: Home, arguments: Mapping[str, Any], by: str, listen: Listener) -> Done:
    from burnish.flows.monitor import look

    return look(home, arguments["name"], by, listen)


def _purge(home: Home, arguments: Mapping[str, Any], by: str, listen: Listener) -> Done:
    n_gone = home.predictions.purge(time.time() - settings().retention_days * DAY_S, by)
    home.corrections.forget_tokens(time.time() - 2 * DAY_S)
    listen(Message(f"deleted {n_gone:,} predictions older than {settings().retention_days} days"))
    return {"deleted": n_gone}


KINDS: Mapping[str, Kind] = {"retrain": _retrain, "monitor": _monitor, "purge": _purge}
