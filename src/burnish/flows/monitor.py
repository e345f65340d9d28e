"""`monitor`: what a released model answers, held against what it answered to its test rows."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from burnish.core.errors import BurnishError, UserError
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import write_bytes
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.flows.release import reference_state
from burnish.monitoring.alerting import RESOLVER, State, step
from burnish.monitoring.looking import look as look_at
from burnish.monitoring.reference import Reference
from burnish.monitoring.report import Period, report_page
from burnish.monitoring.rules import Rulebook
from burnish.monitoring.sinks._contract import NotDelivered, Sink
from burnish.monitoring.window import Window
from burnish.store.home import Home, opened_home
from burnish.store.records import Alert, Release
from burnish.store.states import put_state, read_state

FILE = "monitoring.yaml"
HOUR_S = 3_600
MOST_ERROR_HOURS = 24 * 40


class Monitoring(BaseModel):
    """What is watched and who is told: `monitoring.yaml` in the installation's folder; all of it may be left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    rulebook: Rulebook = Field(default_factory=Rulebook.default)
    """Rules, and the windows that they look at."""

    sinks: list[Annotated[Part, Shelf("sinks")]] = Field(default=[], validate_default=True)
    """Where alerts are sent: apprise, webhook."""

    retrain_on: list[str] = []
    """Rules whose alert asks for a retraining, as a job for `burnish worker`."""


def monitoring_of(home: Home) -> Monitoring:
    """What the installation's file says.

    Raises:
        UserError: the file cannot be read, or says what cannot be.
    """
    file = home.folder / FILE
    if not file.is_file():
        return Monitoring()
    try:
        return Monitoring.model_validate(yaml.safe_load(file.read_text("utf-8")) or {})
    except ValidationError as error:
        told = [f"{file}: {'.'.join(map(str, one['loc']))}: {one['msg'].lower()}." for one in error.errors()]
        raise UserError(*told[:20], n_more=max(0, len(told) - 20)) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UserError(f"{file}: cannot be read as YAML ({' '.join(str(error).split())[:200]}).") from None


def look(home: Home, name: str, by: str, listen: Listener = ignore, now: float | None = None) -> dict[str, Any]:
    """Hold the newest whole window against the test rows and the past; keep and send what is alerting.

    Raises:
        UserError: there is no such name in production, or the file of rules is at fault.
    """
    asked, release = monitoring_of(home), home.releases.find(name)
    now = time.time() if now is None else now
    *past, newest = asked.rulebook.periods(now)
    history = [window for start, end in past if (window := _window(home, name, start, end)) is not None]
    window = _window(home, name, *newest, is_newest=True)
    assert window is not None
    findings = look_at(asked.rulebook, window, _reference(home, release), history)
    state, changed = step(asked.rulebook, _state(home, name), findings, newest[1])
    _keep(home, name, state, changed)
    for alert in changed:
        listen(Message(f"{alert.state}: {alert.sentence}", "warning" if alert.state == "open" else "good"))
        _send(asked.sinks, alert, listen)
        if alert.state == "open" and alert.numbers["rule"] in asked.retrain_on:
            home.jobs.add("retrain", {"name": release.name}, by)
            listen(Message(f"asked for a retraining of '{release.name}'"))
    values = {rule: one.value for rule, one in findings.items() if one is not None}
    _put(home, f"findings {release.name}", values)
    return {"alerts": [one.id for one in changed], "inputs": window.answers.n_rows, "values": values}


def write_report(name: str, out: str | Path, days: float = 7.0, listen: Listener = ignore) -> Path:
    """A page with plots of the last days of a model.

    Raises:
        UserError: there is no such name, or the file cannot be written.
    """
    with opened_home() as home:
        asked, release = monitoring_of(home), home.releases.find(name)
        now = time.time()
        length = max(HOUR_S, days * 24 * HOUR_S / 168)
        starts = [now - days * 24 * HOUR_S + number * length for number in range(int(days * 24 * HOUR_S / length))]
        windows = [_read(home, release.name, start, start + length) for start in starts]
        alerts = home.alerts.all(release.name, since=starts[0])
        period = Period(f"{release.name}:{release.version}", windows, alerts, _reference(home, release))
        write_bytes(Path(out), report_page(period, asked.rulebook).encode())
    listen(Message(f"wrote {out}", "good"))
    return Path(out)


def window_of(home: Home, name: str, start: float, end: float) -> Window:
    """What was answered between two moments."""
    return _read(home, name, start, end)


def add_errors(home: Home, counts: Mapping[tuple[str, int], int]) -> None:
    """Add requests that failed, by name and hour since 1970: they leave no prediction."""
    with home.store.writing() as connection:
        for name in {name for name, _ in counts}:
            known: dict[str, int] = read_state(connection, f"errors {name}") or {}
            for (own, hour), count in counts.items():
                if own == name:
                    known[str(hour)] = known.get(str(hour), 0) + count
            newest = sorted(known, key=int)[-MOST_ERROR_HOURS:]
            put_state(connection, f"errors {name}", {hour: known[hour] for hour in newest})


def _window(home: Home, name: str, start: float, end: float, *, is_newest: bool = False) -> Window | None:
    """A whole window, read once and then kept; None for one of the past in which nothing was asked."""
    place = f"window {name} {start:.0f} {end:.0f}"
    if not is_newest:
        with home.store.reading() as connection:
            kept = read_state(connection, place)
        if kept is not None:
            return Window.of_dict(kept) if kept else None
    window = _read(home, name, start, end)
    is_empty = window.answers.n_rows == 0 and not is_newest
    _put(home, place, {} if is_empty else window.to_dict())
    return None if is_empty else window


def _read(home: Home, name: str, start: float, end: float) -> Window:
    with home.store.reading() as connection:
        errors: Mapping[str, int] = read_state(connection, f"errors {name}") or {}
    n_errors = sum(count for hour, count in errors.items() if start <= int(hour) * HOUR_S < end)
    feedback = home.corrections.of_period(name, start, end)
    return Window.of(home.predictions.of_period(name, start, end), feedback, start, end, n_errors)


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


def _send(sinks: Sequence[Part], alert: Alert, listen: Listener) -> None:
    """To every sink; one that fails does not keep the others from it."""
    for sink in sinks:
        assert isinstance(sink, Sink)
        try:
            sink.send(alert)
        except (NotDelivered, BurnishError) as error:
            listen(Message(f"{sink.part_name}: {error}", "warning"))
