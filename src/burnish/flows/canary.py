"""A canary on trial: a retrained version answers a share of the requests first, and earns production or loses it.

Both versions answer live requests of the same days, each its own; so they are held against each other by shares and
not row by row: requests that failed, answers that people called wrong (Fisher's exact test, one-sided), and the median
time of an answer. Requests that fail are looked at all the time until then, by a test that may be.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.evaluation.promotion import Check, Policy
from burnish.flows.erase import move_journal
from burnish.flows.failures import errors_of
from burnish.flows.traffic import Traffic, set_traffic, traffic_now
from burnish.monitoring.twosample import more_often, more_often_at_any_look
from burnish.monitoring.window import HOUR_S, Window
from burnish.store.home import Home, opened_home, whoami
from burnish.store.records import Prediction
from burnish.store.states import put_state, read_state

JOB = "canary"
LOOK_EVERY_S = 60.0
MOST_S = 7 * 86_400.0
"""After this time a canary that was asked too little is taken back."""


Test = Callable[[int, int, int, int], float]
"""P-value that k of n is no larger a share than k_before of n_before."""


class Trial(BaseModel):
    """A canary, and what it is held against."""

    model_config = ConfigDict(frozen=True)

    version: int
    against: int
    """What was in production when it began."""
    inputs: int
    """Inputs that each of the two must have answered before it is decided."""
    since: float
    policy: Policy
    failed_before: Mapping[int, int] = {}
    """Version → requests that had failed in the hour in which it began: failures are counted by the hour."""


class Outcome(NamedTuple):
    """What became of a trial."""

    state: Literal["waiting", "promoted", "withdrawn"]
    sentence: str


def begin(home: Home, name: str, trial: Trial, percent: float, by: str) -> None:
    """Give a version a share of the requests, in place of another canary, and let a job for `burnish worker` decide."""
    wanted = traffic_now(home, name).model_dump() | {"canary": trial.version, "percent": percent}
    set_traffic(home, name, Traffic.model_validate(wanted), by)
    failed = {
        version: _n_failed(home, name, version, trial.since, trial.since) for version in (trial.version, trial.against)
    }
    with home.store.writing() as connection:
        put_state(connection, _place(name), trial.model_copy(update={"failed_before": failed}).model_dump(mode="json"))
    if not home.jobs.has_open(JOB, name):
        home.jobs.add(JOB, {"name": name, "every_s": LOOK_EVERY_S}, by, time.time() + LOOK_EVERY_S)


def finish_canary(name: str, listen: Listener = ignore) -> Outcome:
    """Decide on the canary of a name, if it was asked enough.

    Raises:
        UserError: none is on trial.
    """
    with opened_home() as home:
        home.releases.find(name)
        found = decide_on(home, name, whoami(), listen)
        if found is None:
            raise UserError(f"{name}: no canary is on trial; burnish retrain {name} --canary 5 begins one.")
        return found


def decide_on(home: Home, name: str, by: str, listen: Listener = ignore, now: float | None = None) -> Outcome | None:
    """Promote the canary of a name, take the traffic back, or wait; None where none is on trial."""
    with home.store.reading() as connection:
        kept = read_state(connection, _place(name))
    if kept is None:
        return None
    move_journal(home)
    trial = Trial.model_validate(kept)
    found = _void(home, name, trial) or _judged(home, name, trial, time.time() if now is None else now)
    if found.state == "promoted" and home.releases.find(name).version != trial.version:
        home.releases.promote(name, trial.version, by, found.sentence)
    if found.state != "waiting":
        _end(home, name, trial, by)
    listen(Message(found.sentence, "warning" if found.state == "withdrawn" else "good"))
    return found


def _void(home: Home, name: str, trial: Trial) -> Outcome | None:
    """What became of a trial that somebody decided by hand."""
    production, canary = home.releases.find(name).version, traffic_now(home, name).canary
    if production == trial.version:
        return Outcome("promoted", f"{name}:{trial.version} is production already")
    if production != trial.against:
        told = f"{name}:{production} came into production, and the trial was against version {trial.against}"
        return Outcome("withdrawn", f"the canary {name}:{trial.version} is taken back: {told}.")
    if canary != trial.version:
        return Outcome("withdrawn", f"{name}:{trial.version} has no share of the requests any more, so its trial ends.")
    return None


def _judged(home: Home, name: str, trial: Trial, now: float) -> Outcome:
    canary, production = (_arm(home, name, version, trial, now) for version in (trial.version, trial.against))
    n, n_other = canary.answers.n_rows, production.answers.n_rows
    asked = f"{name}:{trial.version} answered {n:,} inputs and version {trial.against} {n_other:,}"
    is_enough = min(n, n_other) >= trial.inputs
    checks = _checks(canary, production, trial.policy) if is_enough else [_errors(canary, production, trial.policy)]
    failed = [check.sentence for check in checks if not check.is_passed]
    if failed:
        return Outcome("withdrawn", f"the canary is taken back: {asked}. {' '.join(failed)}")
    if is_enough:
        return Outcome("promoted", f"the canary is good: {asked}. {' '.join(check.sentence for check in checks)}")
    if now - trial.since >= MOST_S:
        told = f"each must have answered {trial.inputs:,} within {MOST_S / 86_400:g} days"
        return Outcome("withdrawn", f"the canary is taken back: {asked}; {told}. It stays the candidate.")
    return Outcome("waiting", f"{asked}; it is decided when each has answered {trial.inputs:,}.")


def _arm(home: Home, name: str, version: int, trial: Trial, now: float) -> Window:
    """What one version answered since the trial began, and what was said of that."""
    since = trial.since
    said = [one for one in home.corrections.of_period(name, since) if one.version == version]
    about = home.predictions.answered_in(sorted({one.prediction for one in said}))
    said = [one for one in said if one.prediction in about and about[one.prediction].at >= since]

    def answered() -> Iterator[Prediction]:
        for one in home.predictions.of_period(name, since, traffic=None):
            if one.version == version and one.traffic != "shadow":
                yield one

    n_errors = _n_failed(home, name, version, since, now) - trial.failed_before.get(version, 0)
    return Window.of(answered(), said, since, now + 1.0, n_errors)


def _n_failed(home: Home, name: str, version: int, since: float, now: float) -> int:
    """Requests of the whole hours from that of one moment to that of another."""
    return errors_of(home, f"{name}:{version}", since // HOUR_S * HOUR_S, (now // HOUR_S + 1) * HOUR_S)


def _checks(canary: Window, production: Window, policy: Policy) -> list[Check]:
    """Once both were asked enough."""
    failed, wrong = _failed(canary, production), [(one.n_wrong, one.n_judged) for one in (canary, production)]
    return [
        _share("errors", "requests failed", failed, more_often, policy),
        _share("corrections", "answers that people judged were wrong", wrong, more_often, policy),
        _latency(canary.answers.ms.quantile(0.5), production.answers.ms.quantile(0.5), policy.most_times_slower),
    ]


def _errors(canary: Window, production: Window, policy: Policy) -> Check:
    """At every look before: what fails is not asked on until there is enough of it."""
    return _share("errors", "requests failed", _failed(canary, production), more_often_at_any_look, policy)


def _failed(canary: Window, production: Window) -> list[tuple[int, int]]:
    return [(one.n_errors, one.n_errors + one.answers.n_rows) for one in (canary, production)]


def _share(name: str, what: str, counts: Sequence[tuple[int, int]], test: Test, policy: Policy) -> Check:
    """Whether a share is no larger than production's, or only by chance."""
    (k, n), (k_before, n_before) = counts
    is_passed = test(k, n, k_before, n_before) >= policy.significance / 2  # one of the two sides of the policy's
    sentence = f"{k:,} of its {n:,} {what}; of production's {k_before:,} of {n_before:,}."
    return Check(name=name, is_passed=is_passed, sentence=sentence)


def _latency(own_ms: float, other_ms: float, most_times: float) -> Check:
    told = (
        f"It took {own_ms:.3g} ms in the median, and production {other_ms:.3g}; {most_times:g} times that is allowed."
    )
    return Check(name="latency", is_passed=not own_ms > other_ms * most_times, sentence=told)


def _end(home: Home, name: str, trial: Trial, by: str) -> None:
    """Take the share back, where the canary still has it, and forget the trial."""
    now = traffic_now(home, name)
    if now.canary == trial.version:
        set_traffic(home, name, now.model_copy(update={"canary": None, "percent": 0.0}), by)
    with home.store.writing() as connection:
        put_state(connection, _place(name), None)


def _place(name: str) -> str:
    return f"trial {name}"
