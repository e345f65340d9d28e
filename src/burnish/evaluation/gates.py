"""Gates: what a bundle must reach before it may be used."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable, Mapping

from pydantic import BaseModel, ConfigDict

from burnish.core.errors import Faults, hint

_COMPARE = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}


class GateResult(BaseModel):
    """One gate: the score's name, the condition, the score, and whether it is met."""

    model_config = ConfigDict(frozen=True)

    name: str
    condition: str
    value: float
    is_passed: bool


def check_gates(gates: Mapping[str, str], scores: Mapping[str, float]) -> list[GateResult]:
    """Each gate held against its score. A score that is NaN passes none.

    Raises:
        UserError: a gate names no score, or its condition cannot be read; all such faults at once.
    """
    check_names(gates, scores)
    return [_result(name, condition, scores[name]) for name, condition in gates.items()]


def check_names(gates: Mapping[str, str], allowed: Iterable[str]) -> None:
    """Raise `UserError` unless every gate names an allowed score and has a readable condition.

    To be called before training, with `report.gate_names`: hours later is too late to learn of a typing error.
    """
    known, faults = sorted(allowed), Faults()
    for name, condition in gates.items():
        if name not in known:
            near = hint(name, known)
            faults.add(f"judge.gates.{name}: there is no score of that name.{near} This task has: {', '.join(known)}.")
        if not _parse(condition):
            faults.add(
                f"judge.gates.{name}: must read like '>= 0.95' (one of >= <= > <, then a number); got '{condition}'."
            )
    faults.raise_if_any()


def _result(name: str, condition: str, value: float) -> GateResult:
    found = _parse(condition)
    assert found is not None
    is_passed = not math.isnan(value) and _COMPARE[found[1]](value, float(found[2]))
    return GateResult(name=name, condition=condition.strip(), value=value, is_passed=is_passed)


def _parse(condition: str) -> re.Match[str] | None:
    return re.fullmatch(r"\s*(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)\s*", condition)
