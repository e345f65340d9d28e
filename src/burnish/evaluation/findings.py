"""The nouns of a report: everything that the judge finds out, as plain data that JSON can hold."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from burnish.evaluation.bootstrap import Interval
from burnish.evaluation.gates import GateResult

FORMAT = 1  # number of this layout, in every report.json


class Finding(BaseModel):
    """Base of every part of a report: never changes, knows no unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ClassRow(Finding):
    """Scores of one label (or of an average over labels). `support` counts gold, `n_predicted` answers."""

    label: str
    precision: float
    recall: float
    f1: float
    support: int
    n_predicted: int


class Confusion(Finding):
    """Non-zero cells (gold index, predicted index, count). For spans `labels` ends with NOTHING: missed or invented."""

    labels: list[str]
    cells: list[tuple[int, int, int]]


class Pair(Finding):
    """`n` rows of label `gold` got `predicted`, a share `share` of all rows of that label."""

    gold: str
    predicted: str
    n: int
    share: float


class Bin(Finding):
    """Decisions with a probability in (low, high]: how many, their mean probability, and the share that came true."""

    low: float
    high: float
    n: int
    probability: float
    truth: float


class Reliability(Finding):
    """Calibration before and after; `parameters` are the fitted numbers, e.g. the temperature."""

    parameters: dict[str, float]
    ece_before: float
    ece_after: float
    before: list[Bin]
    after: list[Bin]


class CurvePoint(Finding):
    """Answering from `threshold` up answers a share `coverage`, of which a share `risk` is wrong."""

    threshold: float
    coverage: float
    risk: float


class Selective(Finding):
    """Abstention from answers, called `noun`, below a threshold that was chosen on `chosen_on`.

    Coverage and precision are those on the judged split.
    """

    noun: str
    target_precision: float
    threshold: float
    chosen_on: str
    is_reached: bool
    coverage: float
    precision: float
    n_answers: int
    curve: list[CurvePoint]


class MarkedSpan(Finding):
    """A span inside `Mistake.text`; characters, end exclusive. `is_right` when gold and prediction agree on it."""

    start: int
    end: int
    label: str
    is_right: bool


class Mistake(Finding):
    """A row that went wrong, `row` counting from 0. `text` is the piece at `offset` of a text of `n_characters`."""

    row: int
    text: str
    offset: int = 0
    n_characters: int
    gold: list[str] = []
    predicted: list[str] = []
    gold_spans: list[MarkedSpan] = []
    predicted_spans: list[MarkedSpan] = []
    confidence: float | None
    probability_of_gold: float | None = None


class Group(Finding):
    """Scores of some of the rows: those of a length, or with one value in a slice's column."""

    name: str
    n: int
    scores: dict[str, float]


class SeedScores(Finding):
    """Scores over several seeds: mean, sample standard deviation, and each seed's own."""

    mean: dict[str, float]
    sd: dict[str, float]
    each: list[dict[str, float]]


class SpanFaults(Finding):
    """What happened to spans: right; bounds right but label wrong; overlapping with wrong bounds; missed; invented."""

    right: int
    wrong_label: int
    wrong_bounds: int
    missed: int
    invented: int


class Report(Finding):
    """All that a judge found out about one model on one split."""

    format_number: int = FORMAT
    kind: str
    about: dict[str, Any]
    split: str
    n_rows: int
    labels: list[str]
    headline: list[str]
    verdict: str
    notes: list[str]
    scores: dict[str, float]
    intervals: dict[str, Interval]
    averages: list[ClassRow]
    per_class: list[ClassRow]
    per_tag: list[ClassRow]
    confusion: Confusion | None
    worst_pairs: list[Pair]
    span_faults: SpanFaults | None
    calibration: Reliability | None
    selective: Selective | None
    confident_errors: list[Mistake]
    hardest_errors: list[Mistake]
    by_length: list[Group]
    by_slice: dict[str, list[Group]]
    gates: list[GateResult]
    seeds: SeedScores | None
    members: dict[str, Report] = Field(default={}, exclude=True)
    """Each task's own report, where several share a model; they are written beside this one."""
