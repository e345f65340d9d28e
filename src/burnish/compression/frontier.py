"""The frontier: what each way of shrinking costs in accuracy, and what it gains in speed and size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from burnish.compression.measuring import Speed
from burnish.compression.parity import Parity

JUDGED = "as judged"


class Budget(BaseModel):
    """What a shrunk model must keep to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_drop: float = Field(default=0.5, ge=0)
    """Points (hundredths) of the score that may be lost, at 95 % confidence."""
    target_ms: float | None = Field(default=None, gt=0)
    """Most milliseconds of the median single answer."""
    target_mb: float | None = Field(default=None, gt=0)
    """Most megabytes on disk."""
    keep: Mapping[str, Annotated[float, Field(ge=0, le=1)]] = {}
    """Label → the least F1 of it."""

    def prefers(self, speed: Speed, other: Speed) -> bool:
        """Whether one way to run a model is better than another: more texts a second, once both are quick enough for a
        single one; until then the quicker.
        """
        most = math.inf if self.target_ms is None else self.target_ms
        if max(speed.median_ms, other.median_ms) <= most:
            return speed.texts_per_s > other.texts_per_s
        return speed.median_ms < other.median_ms

    def faults(self, candidate: Candidate) -> list[str]:
        """Why a candidate does not keep to it, in words; none where it does."""
        found = [] if candidate.fault is None else [candidate.fault]
        if not candidate.most_drop <= self.max_drop:
            found.append(f"may lose {candidate.most_drop:.2f} points; {self.max_drop:g} are allowed")
        if self.target_ms is not None and candidate.speed.median_ms > self.target_ms:
            found.append(f"takes {candidate.speed.median_ms:.2f} ms a text; {self.target_ms:g} are allowed")
        if self.target_mb is not None and candidate.size_mb > self.target_mb:
            found.append(f"has {candidate.size_mb:.1f} MB; {self.target_mb:g} are allowed")
        for label, least in self.keep.items():
            if not candidate.label_f1[label] >= least:
                found.append(f"F1 of '{label}' is {candidate.label_f1[label]:.3f}; {least:g} is asked")
        return found


class Candidate(BaseModel):
    """One way, as measured on dev."""

    model_config = ConfigDict(frozen=True)

    name: str
    """The methods in order, joined by ` + `."""
    score: float
    drop: float
    """Points that it lost against the judged model; negative where it won."""
    most_drop: float
    """The most that it may lose: the end of the 95 % interval of the drop."""
    speed: Speed
    size_mb: float
    label_f1: Mapping[str, float] = {}
    parity: Parity | None = None
    fault: str | None = None
    """Why it is refused whatever it scores."""

    def row(self) -> list[str]:
        """The cells of the table for a person."""
        return [
            self.name,
            f"{self.score:.4f}",
            f"{self.drop:+.2f}",
            f"{self.most_drop:+.2f}",
            f"{self.speed.texts_per_s:,.0f}",
            f"{self.speed.median_ms:.2f}",
            f"{self.speed.p99_ms:.2f}",
            f"{self.size_mb:.1f}",
            "" if self.parity is None else f"{self.parity.agreement:.2%}",
        ]


HEADINGS = ("way", "score", "drop", "at most", "texts/s", "ms", "p99 ms", "MB", "same answers")


class Frontier(BaseModel):
    """Everything that was tried."""

    model_config = ConfigDict(frozen=True)

    metric: str
    n_rows: int
    """Dev rows on which the drop was measured."""
    budget: Budget
    candidates: list[Candidate]
    """The judged model first, as the others were tried."""
    refused: Mapping[str, list[str]]
    """Name → why it does not keep to the budget, or could not be made at all."""
    chosen: str | None
    machine: Mapping[str, str]

    def rows(self) -> list[list[str]]:
        """Cells of the table, a mark before the chosen one and a cross before those that break the budget."""
        marks = {name: "✗" for name in self.refused} | ({self.chosen: "→"} if self.chosen else {})
        return [[marks.get(one.name, ""), *one.row()] for one in self.candidates]

    @property
    def is_open(self) -> bool:
        """Whether some lost no more than is allowed, on rows that are too few to say that it loses no more."""
        tried = [one for one in self.candidates if one.name != JUDGED]
        return any(one.drop <= self.budget.max_drop < one.most_drop for one in tried)

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def fastest(candidates: Sequence[Candidate], budget: Budget) -> Candidate | None:
    """The candidate with most texts a second among those that keep to the budget."""
    fitting = [one for one in candidates if one.name != JUDGED and not budget.faults(one)]
    return max(fitting, key=lambda one: one.speed.texts_per_s, default=None)
