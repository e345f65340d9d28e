"""What a data file is for, guessed from a sample of its rows: each guess with the reason for it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from burnish.core.errors import listed
from burnish.data.measures import looks_chinese
from burnish.data.spans import parse_spans

Row = Mapping[str, Any]

LABEL_NAMES = (
    "label", "labels", "intent", "class", "category", "target", "topic", "sentiment", "tag",
    "标签", "类别", "分类", "意图",
)  # fmt: skip
TEXT_NAMES = (
    "text", "sentence", "utterance", "query", "question", "title", "content", "review", "comment", "message",
    "headline", "文本", "内容", "句子", "标题", "评论", "正文", "问题",
)  # fmt: skip
SPAN_NAMES = ("spans", "entities", "label", "labels", "annotations", "ner")
PAIRS = (("1", "2"), ("_a", "_b"), ("premise", "hypothesis"), ("text", "text_pair"), ("question", "answer"))
SEPARATORS = ("|", ";", "；", "、", ",")
MAX_LABEL_CHARACTERS = 60
MAX_LABEL_SHARE = 0.2
"""A column whose distinct values are more than this share of the rows is no label, unless it is called one."""
MAX_DECIMAL_LABELS = 10


@dataclass(frozen=True)
class Guess:
    """A task, the columns it reads, settings it needs, and why. `columns` maps role → (column, reason)."""

    task: str
    reason: str
    columns: dict[str, tuple[str, str]] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    is_chinese: bool = False


@dataclass(frozen=True)
class Profile:
    """One column of the sample."""

    name: str
    texts: list[str]
    n_distinct: int
    mean_characters: float

    @property
    def is_label_like(self) -> bool:
        """Few values that come again and again, and short."""
        few = max(2, MAX_LABEL_SHARE * len(self.texts))
        is_short = self.mean_characters <= MAX_LABEL_CHARACTERS
        return bool(self.texts) and self.n_distinct <= few and is_short and not self.is_measured

    @property
    def is_measured(self) -> bool:
        """Many numbers with decimals: a score or a price, not a class."""
        n_decimal = len({text for text in self.texts if re.fullmatch(r"[-+]?\d*\.\d+", text)})
        return n_decimal > MAX_DECIMAL_LABELS


def guess(rows: Sequence[Row]) -> Guess:
    """The most likely task of a sample.

    Raises:
        ValueError: nothing looks like a label; the message says what the columns are and what to do.
    """
    found = _words_and_tags(rows) or _spans(rows) or _lists_of_labels(rows) or _labels(rows)
    if found is None:
        names = listed(column_names(rows))
        raise ValueError(
            f"no column looks like a label (columns: {names}); a label is a value that comes again in many rows. "
            "Name a file with labelled rows, or call the column 'label'."
        )
    text = found.columns.get("text", found.columns.get("tokens", ("", "")))[0]
    sample = "".join(str(row.get(text, "")) for row in rows[:200])
    return Guess(found.task, found.reason, found.columns, found.settings, is_chinese=looks_chinese(sample))


def column_names(rows: Sequence[Row]) -> list[str]:
    """Every column of the sample, in the order of first sight."""
    return list(dict.fromkeys(name for row in rows for name in row))


def profile(rows: Sequence[Row], name: str) -> Profile:
    """What a column holds, empty cells left out."""
    values = [row.get(name) for row in rows]
    texts = [str(value) for value in values if value is not None and str(value).strip()]
    mean = sum(map(len, texts)) / len(texts) if texts else 0.0
    return Profile(name, texts, len(set(texts)), mean)


def looks_headless(rows: Sequence[Row]) -> bool:
    """Whether the names of the columns are really the first row: a label-like column is named by one of its values."""
    profiles = [profile(rows, name) for name in column_names(rows)]
    return any(one.is_label_like and one.name in one.texts for one in profiles)


def _words_and_tags(rows: Sequence[Row]) -> Guess | None:
    for words, tags in (("tokens", "tags"), ("tokens", "ner_tags"), ("words", "tags")):
        both: list[tuple[Any, Any]] = [(row.get(words), row.get(tags)) for row in rows]
        if all(isinstance(a, list) and isinstance(b, list) and len(a) == len(b) for a, b in both):
            kinds = Counter(tag for _, row_tags in both for tag in row_tags if tag != "O")
            columns = {"tokens": (words, "a list of words"), "tags": (tags, f"one tag a word, such as {_some(kinds)}")}
            return Guess("tokens", "every row has words and one tag for each", columns)
    return None


def _spans(rows: Sequence[Row]) -> Guess | None:
    names = column_names(rows)
    for name in (one for one in SPAN_NAMES if one in names):
        others = [profile(rows, other) for other in names if other != name]
        text = _text_column(others)
        labels = None if text is None else _span_labels(rows, text.name, name)
        if text is not None and labels:
            columns = {
                "text": (text.name, "the text that the spans point into"),
                "spans": (name, f"character positions with labels, such as {_some(labels)}"),
            }
            return Guess("tokens", f"'{name}' holds labelled pieces of the text", columns)
    return None


def _span_labels(rows: Sequence[Row], text: str, name: str) -> Counter[str] | None:
    """Labels of the spans in a column; None when some value of it is no span at all."""
    found: Counter[str] = Counter()
    n_readable = 0
    for row in rows[:200]:
        value = row.get(name)
        if isinstance(value, str) and not value.lstrip().startswith(("[", "{")):
            return None
        try:
            found.update(label for _, _, label in parse_spans(value, str(row.get(text, ""))))
            n_readable += 1
        except (ValueError, TypeError):
            continue
    return found if 2 * n_readable > len(rows[:200]) else None


def _lists_of_labels(rows: Sequence[Row]) -> Guess | None:
    names = column_names(rows)
    profiles = {name: profile(rows, name) for name in names}
    for name in sorted(names, key=lambda one: one.lower() not in LABEL_NAMES):
        values = [row.get(name) for row in rows if row.get(name) is not None]
        text = _text_column([profiles[other] for other in names if other != name])
        if not values or text is None:
            continue
        if all(isinstance(value, list) and all(isinstance(one, str) for one in value) for value in values):
            return _multilabel(text, name, "each row holds a list of labels")
        separator = _separator([str(value) for value in values]) if name.lower() in LABEL_NAMES else None
        if separator:
            given = {} if separator == "|" else {"separator": separator}
            return _multilabel(text, name, f"labels are joined by '{separator}'", given)
    return None


def _multilabel(text: Profile, name: str, reason: str, settings: dict[str, str] | None = None) -> Guess:
    columns = {"text": (text.name, _why_text(text)), "labels": (name, reason)}
    return Guess("multilabel", f"in '{name}' {reason}", columns, settings or {})


def _separator(values: list[str]) -> str | None:
    """What joins several labels in a cell: found in a tenth of the cells, its pieces few and met again elsewhere."""
    for separator in SEPARATORS:
        joined = [value for value in values if separator in value]
        pieces = Counter(piece.strip() for value in values for piece in value.split(separator))
        is_shared = len(pieces) < len(set(values)) and len(pieces) <= MAX_LABEL_SHARE * max(len(values), 10)
        if 10 * len(joined) >= len(values) and is_shared and max(map(len, pieces)) <= MAX_LABEL_CHARACTERS:
            return separator
    return None


def _labels(rows: Sequence[Row]) -> Guess | None:
    profiles = [profile(rows, name) for name in column_names(rows)]
    label = _label_column(profiles)
    text = _text_column([one for one in profiles if one is not label])
    if label is None or text is None:
        return None
    pair = _pair_of(text, profiles, label)
    first, second = pair if pair else (text, None)
    columns = {"text": (first.name, _why_text(first))}
    if second is not None:
        columns["text_pair"] = (second.name, f"goes with '{first.name}': a pair of texts")
    columns["label"] = (label.name, _why_label(label))
    return Guess("classification", f"one label a row, in '{label.name}'", columns)


def _label_column(profiles: list[Profile]) -> Profile | None:
    named = [one for wanted in LABEL_NAMES for one in profiles if one.name.lower() == wanted and one.texts]
    few = sorted((one for one in profiles if one.is_label_like and one.n_distinct > 1), key=lambda one: one.n_distinct)
    return next(iter([*named, *few]), None)


def _text_column(profiles: list[Profile]) -> Profile | None:
    written = [one for one in profiles if one.texts and not _is_number(one) and not _is_address(one)]
    named = [one for wanted in TEXT_NAMES for one in written if one.name.lower() == wanted]
    longest = sorted(written, key=lambda one: -one.mean_characters)
    return next(iter([*named, *longest]), None)


def _pair_of(text: Profile, profiles: list[Profile], label: Profile) -> tuple[Profile, Profile] | None:
    by_name = {one.name: one for one in profiles if one is not label and one.texts and not _is_number(one)}
    for first, second in PAIRS:
        for name in by_name:
            partner = name.removesuffix(first) + second
            if name.endswith(first) and partner in by_name and text.name in (name, partner):
                return by_name[name], by_name[partner]
    return None


def _is_number(one: Profile) -> bool:
    return all(re.fullmatch(r"[-+]?[\d.,]+", text) for text in one.texts)


def _is_address(one: Profile) -> bool:
    return all(re.match(r"https?://", text) for text in one.texts)


def _why_text(one: Profile) -> str:
    return f"{one.mean_characters:.0f} characters on average, {one.n_distinct:,} different ones in the sample"


def _why_label(one: Profile) -> str:
    if one.n_distinct == 1:
        return f"only '{one.texts[0][:30]}' in the first {len(one.texts):,} rows; is the file sorted by it?"
    return f"{one.n_distinct:,} different values in {len(one.texts):,} rows, such as {_some(Counter(one.texts))}"


def _some(counts: Counter[str]) -> str:
    return ", ".join(re.sub(r"\s+", " ", label)[:30] for label, _ in counts.most_common(3))
