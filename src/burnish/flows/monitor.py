"""`monitor`: what a released model answers, held against what it answered to its test rows."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from itertools import chain, dropwhile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import write_bytes
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.flows.failures import DAY_S, HOUR_S, errors_of
from burnish.flows.post import Post
from burnish.flows.release import reference_state
from burnish.monitoring.alerting import RESOLVER, State, step
from burnish.monitoring.looking import look as look_at
from burnish.monitoring.reference import Reference
from burnish.monitoring.report import Period, report_page
from burnish.monitoring.rules import Rulebook
from burnish.monitoring.window import Window
from burnish.recipe.faults import demand
from burnish.store.home import Home, opened_home
from burnish.store.records import Alert, Release
from burnish.store.states import put_state, read_state

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

FILE = "monitoring.yaml"
MOST_WINDOWS = 168
"""In a report: every rule looks at each of them."""


class Monitoring(BaseModel):
    """What is watched and who is told: `monitoring.yaml` in the installation's folder; all of it may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rulebook: Rulebook = Field(default_factory=Rulebook.default)
    """Rules, and the windows that they look at."""

    sinks: list[Annotated[Part, Shelf("sinks")]] = Field(default=[], validate_default=True)
    """Where alerts are sent: apprise, webhook."""

    retrain_on: list[str] = []
    """Rules whose alert asks for a retraining, as a job for `burnish worker`."""

    @model_validator(mode="after")
    def _rules_are_there(self) -> Self:
        known = [rule.name for rule in self.rulebook.rules]
        for name in self.retrain_on:
            if name not in known:
                raise ValueError(
                    f"retrain_on: there is no rule '{name}'.{hint(name, known)} There are {listed(known)}."
                )
        return self


def monitoring_of(home: Home) -> Monitoring:
    """What the installation's file says.

    Raises:
        UserError: the file cannot be read, or says what cannot be: every fault of it.
    """
    file = home.folder / FILE
    if not file.is_file():
        return Monitoring()
    given = _read_yaml(file)
    try:
        rules = given.get("rulebook")
        book = Rulebook.of(rules) if isinstance(rules, dict) else None
        return Monitoring.model_validate(given if book is None else {**given, "rulebook": book})
    except ValidationError as error:
        faults = Faults()
        for details in error.errors():
            faults.add(f"{file}: {_fault(details)}")
        raise faults.error() from None
    except UserError as error:
        raise UserError(*(f"{file}: {fault}" for fault in error.faults), n_more=error.n_more) from None


def _read_yaml(file: Path) -> dict[str, Any]:
    try:
        given = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file}: cannot be read as YAML ({' '.join(str(error).split())[:200]}).") from None
    if given is not None and not isinstance(given, dict):
        raise UserError(f"{file}: must be a mapping with rulebook, sinks and retrain_on.")
    return given or {}


def _fault(details: ErrorDetails) -> str:
    place, known = ".".join(map(str, details["loc"])), Monitoring.model_fields
    if details["type"] == "extra_forbidden" and place.partition(".")[0] not in known:
        return f"{place} is not a setting.{hint(place, known)} There are {listed(known)}."
    if details["type"] in ("extra_forbidden", "missing"):
        return f"{place} is {'missing' if details['type'] == 'missing' else 'not a setting'}."
    wanted = demand(details)
    reason = str(details["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{place} {wanted}" if wanted else f"{f'{place}: ' if place else ''}{reason}."


def look(home: Home, name: str, by: str, listen: Listener = ignore, now: float | None = None) -> dict[str, Any]:
    """Hold the newest whole window against the test rows and the past; keep and send what is alerting.

    Raises:
        UserError: there is no such name in production, or the file of rules is at fault.
    """
    asked, release = monitoring_of(home), home.releases.find(name)
    name, now = release.name, time.time() if now is None else now
    *past, newest = asked.rulebook.periods(now)
    windows = (_past_window(home, name, start, end) for start, end in past)
    history = list(dropwhile(lambda one: one.answers.n_rows == 0, windows))  # hours of silence later on are history too
    _forget_windows(home, name, past[0][0] if past else newest[0])
    window = window_of(home, name, *newest)
    findings = look_at(asked.rulebook, window, _reference(home, release), history)
    state, changed = step(asked.rulebook, _state(home, name), findings, newest[1])
    post = Post(home, name, asked.sinks, listen)
    post.take(changed)
    _keep(home, name, state, changed)
    for alert in changed:
        listen(Message(f"{alert.state}: {alert.sentence}", "warning" if alert.state == "open" else "good"))
        if alert.state == "open" and alert.numbers["rule"] in asked.retrain_on:
            _ask_for_retraining(home, name, by, listen)
    post.deliver()
    values = {rule: one.value for rule, one in findings.items() if one is not None}
    _put(home, f"findings {name}", values)
    return {"alerts": [one.id for one in changed], "inputs": window.answers.n_rows, "values": values}


def _ask_for_retraining(home: Home, name: str, by: str, listen: Listener) -> None:
    """A job, unless one waits or runs already."""
    if not home.jobs.has_open("retrain", name):
        home.jobs.add("retrain", {"name": name}, by)
        listen(Message(f"asked for a retraining of '{name}'"))


def write_report(name: str, out: str | Path, days: float = 7.0, listen: Listener = ignore) -> Path:
    """A page with plots of the last days of a model.

    Raises:
        UserError: there is no such name, or the file cannot be written.
    """
    with opened_home() as home:
        asked, release = monitoring_of(home), home.releases.find(name)
        length, end = max(HOUR_S, days * DAY_S / MOST_WINDOWS), time.time()
        n_windows = max(1, math.ceil(days * DAY_S / length))
        starts = [end - number * length for number in range(n_windows, 0, -1)]
        windows = [window_of(home, release.name, start, start + length) for start in starts]
        alerts = home.alerts.all(release.name, since=starts[0])
        period = Period(f"{release.name}:{release.version}", windows, alerts, _reference(home, release))
        write_bytes(Path(out), report_page(period, asked.rulebook).encode())
    listen(Message(f"wrote {out}", "good"))
    return Path(out)


def window_of(home: Home, name: str, start: float, end: float) -> Window:
    """What was answered between two moments, and what was said in it of answers to live requests, older ones too."""
    said = list(home.corrections.of_period(name, start, end))
    about = home.predictions.answered_in(sorted({one.prediction for one in said}))
    live = {one.id: one for one in about.values() if one.traffic == "live"}
    others = [one for one in live.values() if not start <= one.at < end]
    answered = chain(home.predictions.of_period(name, start, end), others)
    said = [one for one in said if one.prediction in live]
    return Window.of(answered, said, start, end, errors_of(home, name, start, end))


def newest_findings(home: Home, name: str) -> Mapping[str, float]:
    """Rule → what its watch measured when it looked last; nothing where none has looked."""
    with home.store.reading() as connection:
        found: Mapping[str, float] | None = read_state(connection, f"findings {name}")
    return found or {}


def _past_window(home: Home, name: str, start: float, end: float) -> Window:
    """A window of the past, read once and then kept."""
    place = _place(name, start, end)
    with home.store.reading() as connection:
        kept = read_state(connection, place)
    if kept:
        return Window.of_dict(kept)
    window = window_of(home, name, start, end).without_vectors()
    _put(home, place, window.to_dict())
    return window


def _forget_windows(home: Home, name: str, before: float) -> None:
    """Drop kept windows that began before a moment: no rule looks at them any more."""
    from sqlalchemy import delete, select

    from burnish.store.tables import states

    with home.store.reading() as connection:
        query = select(states.c.name).where(states.c.name.startswith(f"window {name} ", autoescape=True))
        kept = connection.execute(query).scalars().all()
    old = [place for place in kept if float(place.split(" ")[2]) < before]
    if old:
        with home.store.writing() as connection:
            connection.execute(delete(states).where(states.c.name.in_(old)))


def _place(name: str, start: float, end: float) -> str:
    return f"window {name} {start:.0f} {end:.0f}"


def _reference(home: Home, release: Release) -> Reference | None:
    with home.store.reading() as connection:
        kept = read_state(connection, reference_state(release))
    return None if kept is None else Reference.of_dict(kept)


def _state(home: Home, name: str) -> State:
    with home.store.reading() as connection:
        kept = read_state(connection, f"monitor {name}")
    return State(name=name) if kept is None else State.model_validate(kept)


def _keep(home: Home, name: str, state: State, changed: Sequence[Alert]) -> None:
    home.alerts.add(changed)
    for alert in changed:
        if alert.state == "resolved":
            home.alerts.change(alert.id, "resolved", RESOLVER)
    _put(home, f"monitor {name}", state.model_dump(mode="json"))


def _put(home: Home, place: str, value: Any) -> None:
    with home.store.writing() as connection:
        put_state(connection, place, value)
