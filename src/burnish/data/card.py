"""The data card: what a model was trained and judged on, in figures that fit on a page, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from burnish.data.duplicates import Clusters, comparable
from burnish.data.leaks import Leak, LeakExample, Side
from burnish.data.measures import Quantiles, TextMeasures, quantiles

MOST_CLASSES = 500
FEW_ROWS = 5


class CardSection(BaseModel):
    """Base of the card's sections: plain, frozen, written as JSON."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Classes(CardSection):
    """How many rows each label has."""

    n: int
    """Labels with at least one row."""
    counts: dict[str, int]
    """The 500 labels with most rows, most first."""
    smallest: tuple[str, int]
    """The label with fewest rows, and how many."""
    rare: dict[str, int]
    """Labels with fewer than five rows, fewest first, at most 500."""
    n_rare: int
    """How many such labels there are."""
    n_single: int
    """How many labels stand in one row only."""


class SplitCard(CardSection):
    """One split."""

    n_rows: int
    classes: Classes | None
    """None for a task without labels of rows, or a split without any."""
    characters: Quantiles
    words: Quantiles
    """Words between spaces; each Chinese or Japanese character is one."""
    tokens: Quantiles | None
    """Of whole rows before cutting; None when nothing was encoded, as in a check."""
    n_cut: int
    """Rows whose end the model does not see."""
    n_windowed: int
    """Rows so long that they are read in several overlapping windows."""
    n_empty: int
    """Rows whose text is white space only."""


class DuplicatePair(CardSection):
    """Two rows that repeat each other, with the lines on which they stand in their files."""

    text: str
    line: int
    other_text: str
    other_line: int
    similarity: float


class Duplicates(CardSection):
    """Repetition within the data that was split, or within one given split."""

    n_exact: int
    """Rows whose text stood in an earlier row."""
    n_near: int
    """Further rows that nearly repeat an earlier one."""
    n_conflicting: int
    """Rows whose very text also stands under another label."""
    examples: list[DuplicatePair]


class LeakCard(CardSection):
    """Rows of `side` that repeat a row of `other`, exactly or nearly."""

    side: str
    other: str
    n_rows: int
    n_exact: int
    share: float
    """n_rows ÷ rows of `side`."""
    examples: list[DuplicatePair]


class Dropped(CardSection):
    """Rows that could not be used and were left out, as `data.bad_rows: drop` asks."""

    n_rows: int
    reasons: list[str]
    """Of the first 20: file, line and what is wrong."""


class DataCard(CardSection):
    """The whole card."""

    splits: dict[str, SplitCard]
    """train, dev, test → figures."""
    duplicates: dict[str, Duplicates]
    """What was looked through (a split, or `all` for data that was split here) → repetition in it."""
    leaks: list[LeakCard]
    """Between splits that were given; splits cut here keep duplicates on one side."""
    sources: dict[str, dict[str, str]]
    """File → what was found out about it: encoding, line ends, …"""
    dropped: dict[str, Dropped]
    """What was read (train, dev, test) → rows left out of it, where there are any."""

    def to_dict(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def class_counts(codes: NDArray[np.integer[Any]], labels: Iterable[str]) -> dict[str, int]:
    """Label → rows, for codes [N] into `labels`; -1 (no label) is not counted."""
    names = list(labels)
    counts = np.bincount(codes[codes >= 0], minlength=len(names))
    return dict(zip(names, counts.tolist(), strict=True))


def classes_card(counts: Mapping[str, int]) -> Classes | None:
    """Label → rows as a section of the card; None when no label has a row."""
    present = sorted(((label, n) for label, n in counts.items() if n), key=lambda item: (-item[1], item[0]))
    if not present:
        return None
    rare = [(label, n) for label, n in reversed(present) if n < FEW_ROWS]
    return Classes(
        n=len(present),
        counts=dict(present[:MOST_CLASSES]),
        smallest=present[-1],
        rare=dict(rare[:MOST_CLASSES]),
        n_rare=len(rare),
        n_single=sum(n == 1 for _, n in rare),
    )


def split_card(
    measures: TextMeasures,
    counts: Mapping[str, int] | None = None,
    tokens: NDArray[np.integer[Any]] | None = None,
    *,
    n_cut: int = 0,
    n_windowed: int = 0,
) -> SplitCard:
    """The section of one split. `counts` are label → rows, `tokens` [N] lengths of whole rows."""
    return SplitCard(
        n_rows=len(measures.characters),
        classes=classes_card(counts or {}),
        characters=quantiles(measures.characters),
        words=quantiles(measures.words),
        tokens=None if tokens is None else quantiles(tokens),
        n_cut=n_cut,
        n_windowed=n_windowed,
        n_empty=measures.n_empty,
    )


def duplicates_card(clusters: Clusters, side: Side, n_conflicting: int = 0) -> Duplicates:
    """The section of repetition in `side`, whose clusters these are; its example rows are looked up there."""
    rows = [row for pair in clusters.examples for row in (pair.first, pair.second)]
    taken = iter(side.take(rows))
    examples = []
    for pair in clusters.examples:
        one, other = next(taken), next(taken)
        examples.append(LeakExample(*_quoted(one), *_quoted(other), pair.similarity))
    return Duplicates(
        n_exact=clusters.n_exact,
        n_near=clusters.n_near,
        n_conflicting=n_conflicting,
        examples=[_pair(example) for example in examples],
    )


def leak_card(leak: Leak) -> LeakCard:
    """A leak as a section of the card."""
    examples = [_pair(example) for example in leak.examples]
    return LeakCard(
        side=leak.side, other=leak.other, n_rows=leak.n_rows, n_exact=leak.n_exact, share=leak.share, examples=examples
    )


def _quoted(example: Mapping[str, Any]) -> tuple[str, int]:
    return comparable(example), int(example["line"])


def _pair(example: LeakExample) -> DuplicatePair:
    return DuplicatePair(**asdict(example))
