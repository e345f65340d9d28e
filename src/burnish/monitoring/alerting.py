"""From findings to alerts: a state machine without a clock or a memory of its own."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict

from burnish.monitoring.looking import Findings
from burnish.monitoring.rules import Rule, Rulebook
from burnish.monitoring.watches._contract import Finding
from burnish.store.records import Alert

RESOLVER = "burnish"
"""Who resolves an alert whose watch has gone quiet."""


class RuleState(BaseModel):
    """How often in a row a rule's watch was raised or quiet, and what came of it."""

    model_config = ConfigDict(frozen=True)

    n_raised: int = 0
    n_quiet: int = 0
    alert: Alert | None = None
    """The alert that is open."""
    alerted_at: float | None = None
    """When the rule last gave an alert."""


class State(BaseModel):
    """All that is remembered between the windows of one released model. `model_dump(mode="json")` keeps it."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The released model."""
    rules: dict[str, RuleState] = {}
    at: float | None = None
    """End of the last window that was taken in."""


def step(rulebook: Rulebook, state: State, findings: Findings, at: float) -> tuple[State, list[Alert]]:
    """The next state, and the alerts that are new or have changed, after a window that ended at `at` (seconds).

    A window taken in twice, as after a crash, changes nothing; an alert's id depends on model, rule and `at` only.
    Where there was too little data a streak neither goes on nor ends. Alerts of rules that are gone are resolved.
    """
    if state.at == at:
        return state, []
    rules = {rule.name: rule for rule in rulebook.rules}
    kept, changed = {}, []
    for name, rule in rules.items():
        before = state.rules.get(name, RuleState())
        kept[name] = _next(rule, state.name, before, findings.get(name), at)
        changed += _changes(before, kept[name], at)
    gone = [one.alert for name, one in state.rules.items() if name not in rules and one.alert]
    return State(name=state.name, rules=kept, at=at), [*changed, *(_resolved(alert, at) for alert in gone)]


def _next(rule: Rule, model: str, before: RuleState, finding: Finding | None, at: float) -> RuleState:
    if finding is None:
        return before
    if not finding.is_raised:
        n_quiet = before.n_quiet + 1
        is_over = n_quiet >= rule.streak
        return before.model_copy(update={"n_raised": 0, "n_quiet": n_quiet, "alert": None if is_over else before.alert})
    counted = before.model_copy(update={"n_raised": before.n_raised + 1, "n_quiet": 0})
    if before.alert or counted.n_raised < rule.streak or _is_silent(rule, before, at):
        return counted
    return counted.model_copy(update={"alert": _alert(rule, model, finding, at), "alerted_at": at})


def _is_silent(rule: Rule, before: RuleState, at: float) -> bool:
    """A clock that was set back ends the silence rather than prolonging it."""
    return before.alerted_at is not None and 0.0 <= at - before.alerted_at < rule.silence_s


def _changes(before: RuleState, after: RuleState, at: float) -> list[Alert]:
    if after.alert and after.alert != before.alert:
        return [after.alert]
    return [_resolved(before.alert, at)] if before.alert and after.alert is None else []


def _alert(rule: Rule, model: str, finding: Finding, at: float) -> Alert:
    numbers: dict[str, Any] = {
        "rule": rule.name,
        "value": finding.value,
        "threshold": finding.threshold,
        "p_value": finding.p_value,
        **finding.numbers,
    }
    digest = hashlib.sha256(f"{model}\n{rule.name}\n{at!r}".encode()).hexdigest()
    return Alert(
        id=f"alert_{digest[:26]}",
        at=at,
        name=model,
        watch=rule.watch.part_name,
        severity=rule.severity,
        sentence=finding.sentence,
        numbers=numbers,
    )


def _resolved(alert: Alert, at: float) -> Alert:
    return replace(alert, state="resolved", by=RESOLVER, changed_at=at)
