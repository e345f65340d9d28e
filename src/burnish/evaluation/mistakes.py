"""Which rows went wrong: the ones the model was surest of, and the ones furthest from their gold label."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np

from burnish.evaluation.findings import MarkedSpan, Mistake
from burnish.metrics._answers import answers_in, bare, given_labels
from burnish.metrics._contract import Bools, Floats, Ints, MultiOutcome, Outcome, SingleOutcome, Span, SpanOutcome

Texts = Callable[[list[int]], list[str]]
MAX_CHARACTERS = 400  # of a text shown; a 10 MB cell must not end up in a report


def confident_errors(outcome: Outcome, texts: Texts, n_most: int) -> list[Mistake]:
    """Rows with a wrong answer, the surest first: often wrong labels in the data, or a rule nobody wrote down."""
    answers = answers_in(outcome)
    surest = np.full(len(outcome), -1.0)
    wrong = ~answers.is_correct
    np.maximum.at(surest, answers.row[wrong], answers.confidence[wrong])
    rows = np.flatnonzero(surest >= 0)
    return _shown(outcome, texts, rows[np.argsort(-surest[rows], kind="stable")][:n_most], surest)


def hardest_errors(outcome: Outcome, texts: Texts, n_most: int) -> list[Mistake]:
    """Wrong rows furthest from their gold.

    Single: lowest probability of the gold label. Multi: lowest probability of any one true decision. Spans: most
    spans missed or wrongly given, as a missed span has no probability.
    """
    distance, is_wrong = _distance(outcome)
    rows = np.flatnonzero(is_wrong)
    return _shown(outcome, texts, rows[np.argsort(-distance[rows], kind="stable")][:n_most], _confidence(outcome))


def _distance(outcome: Outcome) -> tuple[Floats, Bools]:
    """How far each row is from its gold [N], and whether anything in it is wrong [N]."""
    if isinstance(outcome, SingleOutcome):
        return -_of_gold(outcome), outcome.probabilities.argmax(axis=1) != outcome.gold
    if isinstance(outcome, MultiOutcome):
        return -_of_gold(outcome), (given_labels(outcome) != outcome.gold).any(axis=1)
    pairs = zip(outcome.gold, outcome.predicted, strict=True)
    n_wrong = np.array([len(bare(gold) ^ bare(found)) for gold, found in pairs], dtype=float)
    return n_wrong, n_wrong > 0


def _of_gold(outcome: SingleOutcome | MultiOutcome) -> Floats:
    """[N] probability of the gold label; for multi, of the least probable true decision."""
    if isinstance(outcome, SingleOutcome):
        return np.asarray(outcome.probabilities[np.arange(len(outcome)), outcome.gold])
    return np.asarray(np.where(outcome.gold, outcome.probabilities, 1.0 - outcome.probabilities).min(axis=1))


def _confidence(outcome: Outcome) -> Floats:
    """[N] confidence of the surest answer in each row; 0 in a row without one."""
    answers = answers_in(outcome)
    confidence = np.zeros(len(outcome))
    np.maximum.at(confidence, answers.row, answers.confidence)
    return confidence


def _shown(outcome: Outcome, texts: Texts, rows: Ints, confidence: Floats) -> list[Mistake]:
    wanted = rows.tolist()
    pairs = zip(wanted, texts(wanted) if wanted else [], strict=True)
    return [_mistake(outcome, row, text, float(confidence[row])) for row, text in pairs]


def _mistake(outcome: Outcome, row: int, text: str, confidence: float) -> Mistake:
    if isinstance(outcome, SpanOutcome):
        return _span_mistake(outcome, row, text, confidence)
    one = outcome.take(np.array([row]))
    if isinstance(one, SingleOutcome):
        gold, predicted = [int(one.gold[0])], [int(one.probabilities[0].argmax())]
    else:
        gold, predicted = np.flatnonzero(one.gold[0]).tolist(), np.flatnonzero(given_labels(one)[0]).tolist()
    return Mistake(
        row=row,
        text=_piece(text, 0)[0],
        n_characters=len(text),
        gold=[one.labels[label] for label in gold],
        predicted=[one.labels[label] for label in predicted],
        confidence=confidence,
        probability_of_gold=float(_of_gold(one)[0]),
    )


def _span_mistake(outcome: SpanOutcome, row: int, text: str, confidence: float) -> Mistake:
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
