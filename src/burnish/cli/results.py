"""Scores and gates as a few lines on stdout."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from burnish.cli.say import say
from burnish.core.errors import GateMissed

if TYPE_CHECKING:
    from burnish.evaluation.findings import Report
    from burnish.evaluation.gates import GateResult
    from burnish.flows.fit import FitResult

N_SCORES = 8


def tell_scores(report: Report) -> None:
    """The first scores of a report, one a line."""
    shown = dict(list(report.scores.items())[:N_SCORES])
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        print(f"{name:<{width}}  {value:.4f}")


def tell_start(result: FitResult) -> None:
    """What was scored before training, beside what is scored now."""
    scores = {} if result.report is None else result.report.scores
    for name, before in result.start.items():
        if name in scores:
            print(f"{name}: {before:,.4f} before training, {scores[name]:,.4f} now")


def tell_bundle(result: FitResult) -> None:
    """Where it is, and what to do with it."""
    say(f"The bundle is in {result.bundle}. Try it: burnish predict {result.bundle} {result.example}", "good")
    if result.is_base:
        say(f"Every task can start from it: burnish fit RECIPE.yaml --base {result.bundle}", "good")


def tell_gates(gates: Iterable[GateResult]) -> None:
    """Every gate: passed or missed.

    Raises:
        GateMissed: one is missed; its text names them all.
    """
    missed = []
    for gate in gates:
        print(f"gate {gate.name} {gate.condition}: {gate.value:.4f}, {'passed' if gate.is_passed else 'MISSED'}")
        if not gate.is_passed:
            missed.append(f"{gate.name} is {gate.value:.4f}, wanted {gate.condition}")
    if missed:
        raise GateMissed(f"The result misses {'a gate' if len(missed) == 1 else 'gates'}: {'; '.join(missed)}.")
