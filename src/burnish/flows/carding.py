"""The data card of prepared data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from burnish.data.card import DataCard, Dropped, Duplicates, SplitCard, duplicates_card, leak_card, split_card
from burnish.data.duplicates import label_conflicts
from burnish.data.measures import measure
from burnish.flows.encode import Lengths
from burnish.flows.ingest import Ingested
from burnish.flows.prepare import Prepared
from burnish.tasks._contract import Task


def data_card(prepared: Prepared, lengths: Mapping[str, Lengths]) -> DataCard:
    """Figures of every side, repetition, leaks, files, and what was dropped or cut."""
    facts: dict[str, dict[str, str]] = {}
    dropped: dict[str, Dropped] = {}
    for name, side in prepared.sides.items():
        facts |= side.facts
        if side.n_dropped:
            dropped[name] = Dropped(n_rows=side.n_dropped, reasons=side.dropped)
        if lengths[name].n_noted:
            facts.setdefault(side.places[0], {})["spans off word boundaries"] = _noted(lengths[name])
    return DataCard(
        splits={name: _split(side, prepared.task, lengths[name]) for name, side in prepared.sides.items()},
        duplicates=_duplicates(prepared),
        leaks=[leak_card(leak) for leak in prepared.leaks],
        sources=facts,
        dropped=dropped,
    )


def _noted(found: Lengths) -> str:
    return f"{found.n_noted} rows, e.g. {found.notes[0]}"


def _split(side: Ingested, task: Task, found: Lengths) -> SplitCard:
    counts = Counter(label for example in side.corpus for label in task.labels_of(example))
    texts = (str(example["text"]) for example in side.corpus)
    return split_card(measure(texts), counts, found.n_tokens, n_cut=found.n_cut, n_windowed=found.n_windowed)


def _duplicates(prepared: Prepared) -> dict[str, Duplicates]:
    if prepared.whole is None or prepared.duplicates is None:
        return {}
    corpus, clusters, column = prepared.whole.corpus, prepared.duplicates, prepared.task.stratify_by
    n_conflicting = len(label_conflicts(clusters.exact_ids, corpus.codes(column)[0])) if column else 0
    return {"train": duplicates_card(clusters, corpus, n_conflicting)}
