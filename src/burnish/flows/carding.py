"""The data card of prepared data."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from burnish.core.members import joined
from burnish.data.card import DataCard, Dropped, Duplicates, SplitCard, duplicates_card, leak_card, split_card
from burnish.data.duplicates import label_conflicts
from burnish.data.measures import measure
from burnish.flows.encode import Lengths
from burnish.flows.ingest import Ingested
from burnish.flows.prepare import Prepared
from burnish.tasks._contract import Task


def data_card(prepared: Prepared, lengths: Mapping[str, Lengths]) -> DataCard:
    """Figures of every side, repetition, leaks, files, and what was dropped or cut."""
    if prepared.members:
        return _together(prepared, lengths)
    facts: dict[str, dict[str, str]] = {}
    dropped: dict[str, Dropped] = {}
    for name, side in prepared.sides.items():
        facts |= side.facts
        if side.n_dropped:
            dropped[name] = Dropped(n_rows=side.n_dropped, reasons=side.dropped)
        if lengths[name].is_noted.any():
            facts.setdefault(side.places[0], {})["rows with a note"] = _noted(lengths[name])
    return DataCard(
        splits={name: _split(side, prepared.task, lengths[name]) for name, side in prepared.sides.items()},
        duplicates=_duplicates(prepared),
        leaks=[leak_card(leak) for leak in prepared.leaks],
        sources=facts,
        dropped=dropped,
    )


def _together(prepared: Prepared, lengths: Mapping[str, Lengths]) -> DataCard:
    """The cards of several tasks as one: what is said of `train` of the task `topic` stands under `topic/train`."""
    cards, start = {}, dict.fromkeys(lengths, 0)
    for name, member in prepared.members.items():
        own = {}
        for side, ingested in member.sides.items():
            stop = start[side] + len(ingested.corpus)
            own[side] = lengths[side].part(start[side], stop)
            start[side] = stop
        cards[name] = data_card(member, own)
    return DataCard(
        splits={joined(name, side): one for name, card in cards.items() for side, one in card.splits.items()},
        duplicates={joined(name, side): one for name, card in cards.items() for side, one in card.duplicates.items()},
        leaks=[
            leak.model_copy(update={"side": joined(name, leak.side), "other": joined(name, leak.other)})
            for name, card in cards.items()
            for leak in card.leaks
        ],
        sources={place: facts for card in cards.values() for place, facts in card.sources.items()},
        dropped={joined(name, side): one for name, card in cards.items() for side, one in card.dropped.items()},
    )


def _noted(found: Lengths) -> str:
    example = f", e.g. {found.notes[0][1]}" if found.notes else ""
    return f"{int(found.is_noted.sum())} rows{example}"


def _split(side: Ingested, task: Task, found: Lengths) -> SplitCard:
    counts = Counter(label for example in side.corpus for label in task.labels_of(example))
    texts = (str(example["text"]) for example in side.corpus)
    n_cut, n_windowed = int(found.is_cut.sum()), int(found.is_windowed.sum())
    return split_card(measure(texts), counts, found.n_tokens, n_cut=n_cut, n_windowed=n_windowed)


def _duplicates(prepared: Prepared) -> dict[str, Duplicates]:
    if prepared.whole is None or prepared.duplicates is None:
        return {}
    corpus, clusters, column = prepared.whole.corpus, prepared.duplicates, prepared.task.stratify_by
    n_conflicting = len(label_conflicts(clusters.exact_ids, corpus.codes(column)[0])) if column else 0
    return {"train": duplicates_card(clusters, corpus, n_conflicting)}
