"""Which rows went wrong: the ones the model was surest of, and the ones furthest from their gold label."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from burnish.evaluation.findings import MarkedSpan, Mistake
from burnish.metrics._contract import Floats, Ints, Outcome
from burnish.metrics._spans import Span, SpanOutcome, bare

Texts = Callable[[list[int]], list[str]]
MAX_CHARACTERS = 400  # of a text shown; a 10 MB cell must not end up in a report


def confident_errors(outcome: Outcome, texts: Texts, n_most: int) -> list[Mistake]:
    """Rows with a wrong answer, the surest first: often wrong labels in the data, or a rule nobody wrote down.

    Empty where answers carry no confidence.
    """
    answers = outcome.answers()
    if answers is None:
        return []
    surest = np.full(len(outcome), -1.0)
    wrong = ~answers.is_correct
    np.maximum.at(surest, answers.row[wrong], answers.confidence[wrong])
    rows = np.flatnonzero(surest >= 0)
    return _shown(outcome, texts, rows[np.argsort(-surest[rows], kind="stable")][:n_most], surest)


def hardest_errors(outcome: Outcome, texts: Texts, n_most: int) -> list[Mistake]:
    """Wrong rows furthest from their gold, by the outcome's own distance."""
    rows = np.flatnonzero(outcome.is_wrong())
    rows = rows[np.argsort(-outcome.distance()[rows], kind="stable")][:n_most]
    return _shown(outcome, texts, rows, _confidence(outcome))


def _confidence(outcome: Outcome) -> Floats | None:
    """[N] confidence of the surest answer in each row; 0 in a row without one; None without confidence."""
    answers = outcome.answers()
    if answers is None:
        return None
    confidence = np.zeros(len(outcome))
    np.maximum.at(confidence, answers.row, answers.confidence)
    return confidence


def _shown(outcome: Outcome, texts: Texts, rows: Ints, confidence: Floats | None) -> list[Mistake]:
    wanted = rows.tolist()
    pairs = zip(wanted, texts(wanted) if wanted else [], strict=True)
    return [_mistake(outcome, row, text, None if confidence is None else float(confidence[row])) for row, text in pairs]


def _mistake(outcome: Outcome, row: int, text: str, confidence: float | None) -> Mistake:
    if isinstance(outcome, SpanOutcome):
        return _span_mistake(outcome, row, text, confidence)
    gold, predicted = outcome.words_of(row)
    of_gold = outcome.take(np.array([row])).probability_of_gold()
    return Mistake(
        row=row,
        text=_piece(text, 0)[0],
        n_characters=len(text),
        gold=[_shortened(one) for one in gold],
        predicted=[_shortened(one) for one in predicted],
        confidence=confidence,
        probability_of_gold=None if of_gold is None else float(of_gold[0]),
    )


def _shortened(words: str) -> str:
    return words if len(words) <= MAX_CHARACTERS else f"{words[: MAX_CHARACTERS - 1]}…"


def _span_mistake(outcome: SpanOutcome, row: int, text: str, confidence: float | None) -> Mistake:
    gold, predicted = bare(outcome.gold[row]), bare(outcome.predicted[row])
    first_wrong = min((start for start, _, _ in gold ^ predicted), default=0)
    piece, offset = _piece(text, first_wrong)
    end = offset + len(piece)
    return Mistake(
        row=row,
        text=piece,
        offset=offset,
        n_characters=len(text),
        gold_spans=_marked(outcome.gold[row], predicted, offset, end),
        predicted_spans=_marked(outcome.predicted[row], gold, offset, end),
        confidence=confidence,
    )


def _marked(spans: Iterable[Span], others: set[tuple[int, int, str]], start: int, end: int) -> list[MarkedSpan]:
    """The spans that lie whole inside start … end, moved to count from `start`."""
    return [
        MarkedSpan(start=a - start, end=b - start, label=label, is_right=(a, b, label) in others)
        for a, b, label in sorted(bare(spans))
        if start <= a and b <= end
    ]


def _piece(text: str, focus: int) -> tuple[str, int]:
    """At most MAX_CHARACTERS of a text around character `focus`, and where they start."""
    start = 0 if focus < MAX_CHARACTERS // 2 else focus - MAX_CHARACTERS // 4
    return text[start : start + MAX_CHARACTERS], start
