"""Tables by label: precision, recall, F1 and support, their averages, and what is taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from burnish.evaluation.findings import ClassRow, Confusion, Pair, SpanFaults
from burnish.metrics._contract import Ints, Outcome
from burnish.metrics._counts import Counts, label_counts, tag_counts
from burnish.metrics._spans import Span, SpanOutcome

NOTHING = "∅"  # in a confusion of spans: gold that nobody found, or a prediction where nothing is
N_PAIRS = 30


def class_rows(outcome: Outcome) -> list[ClassRow]:
    """One row a label, in the order of the outcome's names; empty where answers are not labels."""
    names = list(outcome.label_names())
    return _rows(names, label_counts(outcome, _once(outcome))) if names else []


def tag_rows(outcome: Outcome) -> list[ClassRow]:
    """One row a word-level tag, O included; empty unless the outcome is of spans."""
    return _rows(*tag_counts(outcome, _once(outcome))) if isinstance(outcome, SpanOutcome) else []


def average_rows(outcome: Outcome) -> list[ClassRow]:
    """Micro (all answers pooled), macro (mean of the labels that occur) and weighted (by support), of labels."""
    if not outcome.label_names():
        return []
    counts = label_counts(outcome, _once(outcome))
    pooled = counts.pooled()
    averages = {
        "micro": [values[0, 0] for values in (pooled.precision, pooled.recall, pooled.f1)],
        "macro": [counts.macro(values)[0] for values in (counts.precision, counts.recall, counts.f1)],
        "weighted": [counts.weighted(values)[0] for values in (counts.precision, counts.recall, counts.f1)],
    }
    support, n_predicted = int(pooled.n_gold[0, 0]), int(pooled.n_predicted[0, 0])
    return [
        ClassRow(label=name, precision=p, recall=r, f1=f, support=support, n_predicted=n_predicted)
        for name, (p, r, f) in averages.items()
    ]


def confusion_of(outcome: Outcome) -> Confusion | None:
    """Counts of (gold, predicted); None where no label stands for another, as in multilabel.

    Spans are matched when start and end are equal; what has no such partner stands against NOTHING.
    """
    if (single := outcome.single()) is not None:
        pairs = Counter(zip(single.gold.tolist(), single.predicted.tolist(), strict=True))
        return Confusion(labels=list(single.labels), cells=_cells(pairs))
    if isinstance(outcome, SpanOutcome):
        labels = [*outcome.labels, NOTHING]
        code = {label: index for index, label in enumerate(labels)}
        met: Counter[tuple[int, int]] = Counter()
        for gold, predicted in zip(outcome.gold, outcome.predicted, strict=True):
            met.update((code[mine], code[theirs]) for mine, theirs in _matched(gold, predicted))
        return Confusion(labels=labels, cells=_cells(met))
    return None


def worst_pairs(confusion: Confusion | None) -> list[Pair]:
    """The commonest confusions, most rows first."""
    if confusion is None:
        return []
    support = Counter[int]()
    for gold, _, n in confusion.cells:
        support[gold] += n
    wrong = sorted((cell for cell in confusion.cells if cell[0] != cell[1]), key=lambda cell: (-cell[2], cell))
    name = confusion.labels
    return [Pair(gold=name[g], predicted=name[p], n=n, share=n / support[g]) for g, p, n in wrong[:N_PAIRS]]


def span_faults(outcome: Outcome) -> SpanFaults | None:
    """How gold spans fared, each counted once, and how many predictions lie where no gold span is."""
    if not isinstance(outcome, SpanOutcome):
        return None
    seen: Counter[str] = Counter()
    for gold, predicted in zip(outcome.gold, outcome.predicted, strict=True):
        seen.update(_fate(span, predicted) for span in gold)
        seen["invented"] += sum(not any(_overlap(span, other) for other in gold) for span in predicted)
    return SpanFaults(**{name: seen[name] for name in SpanFaults.model_fields})


def _fate(span: Span, predicted: Sequence[Span]) -> str:
    near = [other for other in predicted if _overlap(span, other)]
    same_bounds = [other for other in near if (other.start, other.end) == (span.start, span.end)]
    if any(other.label == span.label for other in same_bounds):
        return "right"
    return "wrong_label" if same_bounds else "wrong_bounds" if near else "missed"


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _matched(gold: Sequence[Span], predicted: Sequence[Span]) -> list[tuple[str, str]]:
    """(gold label, predicted label) of every span, NOTHING where it has no partner with the same bounds."""
    by_bounds = {(span.start, span.end): span.label for span in predicted}
    wanted = {(span.start, span.end): span.label for span in gold}
    found = [(label, by_bounds.get(bounds, NOTHING)) for bounds, label in wanted.items()]
    return found + [(NOTHING, label) for bounds, label in by_bounds.items() if bounds not in wanted]


def _cells(pairs: Counter[tuple[int, int]]) -> list[tuple[int, int, int]]:
    return [(gold, predicted, n) for (gold, predicted), n in sorted(pairs.items())]


def _rows(labels: list[str], counts: Counts) -> list[ClassRow]:
    columns = (counts.precision, counts.recall, counts.f1, counts.n_gold, counts.n_predicted)
    return [
        ClassRow(label=label, precision=p, recall=r, f1=f, support=int(gold), n_predicted=int(predicted))
        for label, p, r, f, gold, predicted in zip(labels, *(column[0].tolist() for column in columns), strict=True)
    ]


def _once(outcome: Outcome) -> Ints:
    return np.ones((1, len(outcome)), dtype=np.int64)
