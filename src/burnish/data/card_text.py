"""The data card in words: Markdown for people, and warnings about what is likely to hurt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from burnish.core.errors import listed
from burnish.core.members import BETWEEN
from burnish.data.card import FEW_ROWS, Classes, DataCard, Dropped, DuplicatePair, LeakCard, SplitCard
from burnish.data.measures import Quantiles

MOST_IMBALANCE = 20
NOTABLE_CUT_SHARE = 0.01
CLASSES_SHOWN = 30
EXAMPLES_SHOWN = 5
TEXT_SHOWN = 80  # characters
REASONS_SHOWN = 3


def warnings(card: DataCard) -> list[str]:
    """One sentence for each thing that is likely to hurt, the worst kinds first; none when all is well."""
    dropped = [dropped_warning(name, rows) for name, rows in card.dropped.items()]
    return [*_leak_warnings(card), *dropped, *_label_warnings(card), *_text_warnings(card)]


def to_markdown(card: DataCard) -> str:
    """The card as Markdown, readable in a terminal too."""
    blocks = ["# Data card", *_warning_block(warnings(card)), _splits_table(card)]
    for name, split in card.splits.items():
        if split.classes:
            blocks.append(_classes_block(name, split.classes))
    for name, found in card.duplicates.items():
        blocks.append(
            f"## Duplicates in {_cell(name)}\n\n{found.n_exact:,} rows repeat an earlier row exactly, {found.n_near:,} "
            f"nearly; {found.n_conflicting:,} rows have a copy under another label."
        )
        blocks += _examples_block(found.examples)
    for leak in card.leaks:
        blocks.append(
            f"## Leaks from {_cell(leak.other)} into {_cell(leak.side)}\n\n{leak.n_rows:,} rows of {_cell(leak.side)} "
            f"({leak.share:.2%}) repeat a row of {_cell(leak.other)}: {_exact_and_near(leak)}."
        )
        blocks += _examples_block(leak.examples)
    return "\n\n".join([*blocks, *_sources_block(card), *_dropped_block(card)]) + "\n"


def _leak_warnings(card: DataCard) -> Iterator[str]:
    for leak in card.leaks:
        if leak.n_rows:
            yield (
                f"{_rows(leak.n_rows)} of {leak.side} ({leak.share:.2%}) {'repeats' if leak.n_rows == 1 else 'repeat'} "
                f"a row of {leak.other} ({_exact_and_near(leak)}): scores on {leak.side} will look too good. "
                "Remove such rows from one side."
            )


def _exact_and_near(leak: LeakCard) -> str:
    return f"{leak.n_exact:,} exactly, {leak.n_rows - leak.n_exact:,} nearly"


def dropped_warning(name: str, dropped: Dropped) -> str:
    """How many rows of a side were left out, and why the first of them were."""
    were = "was" if dropped.n_rows == 1 else "were"
    said = f"{name}: {_rows(dropped.n_rows)} that cannot be used {were} left out (data.bad_rows: drop):"
    return "\n  ".join([said, *_reasons(dropped, REASONS_SHOWN)])


def _reasons(dropped: Dropped, n_most: int) -> list[str]:
    shown = dropped.reasons[:n_most]
    n_more = dropped.n_rows - len(shown)
    return [*shown, *([f"… and {n_more:,} more."] if n_more else [])]


def _rows(n: int) -> str:
    return f"{n:,} row{'s' * (n != 1)}"


def _label_warnings(card: DataCard) -> Iterator[str]:
    for name, found in card.duplicates.items():
        if found.n_conflicting:
            yield (
                f"{name}: {found.n_conflicting:,} rows have a copy with the same text under another label; "
                "no model can get all of them right. Decide on one label."
            )
    for name, split in card.splits.items():
        if name.rpartition(BETWEEN)[2] == "train" and split.classes:
            yield from _class_warnings(name, split.classes)


def _class_warnings(name: str, classes: Classes) -> Iterator[str]:
    largest, most = next(iter(classes.counts.items()))
    smallest, fewest = classes.smallest
    if classes.n == 1:
        yield f"{name}: every row has the label '{largest}'; there is nothing to tell apart."
    if most > MOST_IMBALANCE * fewest:
        yield (
            f"{name}: the label '{largest}' has {most / fewest:,.0f} times as many rows ({most:,}) as '{smallest}' "
            f"({fewest:,}); consider train.class_weights: balanced."
        )
    yield from _rare_warnings(name, classes)


def _rare_warnings(name: str, classes: Classes) -> Iterator[str]:
    single = [label for label, n in classes.rare.items() if n == 1]
    few = [label for label, n in classes.rare.items() if n > 1]
    if single:
        yield f"{name}: {_labels(classes.n_single, 'in one row only', single)}. Such a label can be learnt, not judged."
    if few:
        yield f"{name}: {_labels(classes.n_rare - classes.n_single, f'in fewer than {FEW_ROWS} rows', few)}. Add rows."


def _labels(n: int, where: str, names: list[str]) -> str:
    return f"{n:,} {'label stands' if n == 1 else 'labels stand'} {where}: {listed(names)}"


def _text_warnings(card: DataCard) -> Iterator[str]:
    for name, split in card.splits.items():
        n = max(1, split.n_rows)
        if split.n_cut >= NOTABLE_CUT_SHARE * n:
            yield (
                f"{name}: {split.n_cut:,} rows ({split.n_cut / n:.1%}) are longer than the model reads; their ends "
                "are cut. Raise data.max_length, if the base allows it, or shorten them."
            )
        if split.n_empty:
            yield f"{name}: {split.n_empty:,} rows ({split.n_empty / n:.1%}) have an empty text."


def _warning_block(sentences: list[str]) -> list[str]:
    return ["\n".join(f"- **{_cell(sentence, limit=None)}**" for sentence in sentences)] if sentences else []


def _splits_table(card: DataCard) -> str:
    head = ["split", "rows", "labels", "characters", "words", "tokens", "cut", "in windows", "empty"]
    return (
        "## Splits\n\n"
        + _table(head, [_split_row(name, split) for name, split in card.splits.items()])
        + ("\n\nLengths are least / median / 95 % / greatest.")
    )


def _split_row(name: str, split: SplitCard) -> list[str]:
    n_labels = f"{split.classes.n:,}" if split.classes else "–"
    lengths = [_spread(counts) for counts in (split.characters, split.words, split.tokens)]
    counts = [f"{n:,}" for n in (split.n_cut, split.n_windowed, split.n_empty)]
    return [_cell(name), f"{split.n_rows:,}", n_labels, *lengths, *counts]


def _spread(of: Quantiles | None) -> str:
    return "–" if of is None else f"{of.minimum:,} / {of.median:,} / {of.p95:,} / {of.maximum:,}"


def _classes_block(name: str, classes: Classes) -> str:
    shown = list(classes.counts.items())[:CLASSES_SHOWN]
    table = _table(["label", "rows"], [[_cell(label), f"{n:,}"] for label, n in shown])
    n_more = classes.n - len(shown)
    label, fewest = classes.smallest
    more = f"\n\n… and {n_more:,} more; the smallest, {_cell(label)}, has {fewest:,}." if n_more else ""
    return f"## Labels of {_cell(name)}\n\n{table}{more}"


def _examples_block(examples: list[DuplicatePair]) -> list[str]:
    if not examples:
        return []
    rows = [
        [f"{pair.line}", _cell(pair.text), f"{pair.other_line}", _cell(pair.other_text), f"{pair.similarity:.2f}"]
        for pair in examples[:EXAMPLES_SHOWN]
    ]
    return [_table(["line", "text", "line", "repeats", "similarity"], rows)]


def _sources_block(card: DataCard) -> list[str]:
    rows = [
        [_cell(place), _cell(fact), _cell(value)]
        for place, facts in card.sources.items()
        for fact, value in facts.items()
    ]
    return ["## Sources\n\n" + _table(["source", "what", "found"], rows)] if rows else []


def _dropped_block(card: DataCard) -> list[str]:
    blocks = []
    for name, dropped in card.dropped.items():
        reasons = "\n".join(f"- {_cell(reason, limit=None)}" for reason in _reasons(dropped, len(dropped.reasons)))
        blocks.append(f"## Rows of {_cell(name)} left out\n\n{_rows(dropped.n_rows)} cannot be used.\n\n{reasons}")
    return blocks


def _table(head: list[str], rows: Iterable[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str, limit: int | None = TEXT_SHOWN) -> str:
    """A user's text inside Markdown: one line, cut, and nothing in it read as markup or HTML."""
    flat = " ".join(text.split())
    if limit and len(flat) > limit:
        flat = flat[: limit - 1] + "…"
    flat = flat.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{sign}" if sign in "\\`*_[]|#" else sign for sign in flat)
