"""Spans in a text, each with a label: names of people and places, products, parts of speech."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import Field, field_validator, model_validator

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.data.measures import looks_chinese
from burnish.data.spans import parse_spans
from burnish.data.tagging import spans_of
from burnish.metrics._spans import Span, SpanOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._alignment import IGNORED, align, lost_tags, tag_words, token_features
from burnish.tasks._contract import (
    Adopted,
    Answered,
    AnswerPart,
    Batch,
    Collated,
    Decision,
    Encoded,
    Evidence,
    Example,
    Feature,
    Line,
    Prediction,
    Task,
)
from burnish.tasks._decoding import read_words, spans_from, tag_names, word_logits
from burnish.tasks._lone_words import lone_word_features
from burnish.tasks._naming import ToldLabels, refuse_wordless_head, spelled
from burnish.tasks._rows import pad_inputs, text_of
from burnish.tasks._schemes import read_scheme
from burnish.tasks._words import join_words, words_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer


class FoundSpan(AnswerPart):
    """One piece of the text with a label."""

    start: int
    """First character, counted from 0 in the string as it was given."""
    end: int
    """Character after the last."""
    label: str
    """Name of the label."""
    text: str
    """The piece itself."""
    confidence: float
    """Calibrated probability of its least certain word, 0 to 1."""
    abstained: bool
    """Whether the confidence is below the threshold that keeps the wanted precision."""


class Tagged(Prediction):
    """The answer for one text."""

    spans: tuple[FoundSpan, ...]
    """Every span found, in order, never overlapping."""

    def lines(self) -> list[Line]:
        return [
            Line(f"{one.text}  [{one.start}:{one.end}] {one.label}", one.confidence, one.abstained)
            for one in self.spans
        ]


class Tokens(Task):
    """A tag (IOB2) for each word, joined into spans."""

    wanted = (
        Wanted("text", False, "the text, where spans are given by characters", ("tokens",)),
        Wanted("spans", False, "its spans: start, end, label"),
        Wanted("tokens", False, "the words, where tags are given by words"),
        Wanted("tags", False, "one tag a word"),
    )
    gold = frozenset({"spans", "tags"})
    judged_as = SpanOutcome
    best_by = "entity_f1"
    least_labels = 1
    least_rows = 1
    answer = Tagged
    untrained_needs = "labels in words"

    head: Annotated[Part, Shelf("heads"), giving("tokens", "words")] | None = None
    """token (the architecture's own; the bundle loads in AutoModelForTokenClassification), token_cosine (a vector for
    each tag), or word_cosine (each word read by itself, beside the labels' words); null takes token, but with `labels`
    token_cosine, or word_cosine where there are no rows."""

    labels: ToldLabels = Field(default_factory=dict)
    """Labels told in words, e.g. `{PER: name of a person}`; null, or a list of labels, takes the label's own name. With
    them no training rows are needed; where there are rows, the words count as one more span of each label."""

    outside: str | None = None
    """Words for what is no span, beside `labels`; null takes `other`, or `其他` where the labels' words are Chinese."""

    @model_validator(mode="after")
    def _head_reads_words(self) -> Tokens:
        refuse_wordless_head(self.labels, cast("Head | None", self.head), "token_cosine")
        outside = self._outside().casefold()
        for label, words in self.told.items():
            if words.casefold() == outside:
                raise ValueError(
                    f"labels says '{words}' of '{label}' too, which tells of what is no span; write other words for "
                    "one of them (outside)"
                )
        return self

    @field_validator("outside")
    @classmethod
    def _outside_says_something(cls, value: str | None) -> str | None:
        if value is not None and not value.strip():
            raise ValueError("has no words; write some, or null to take `other`")
        return value

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head or Shelf("heads").build("word_cosine" if self.labels else "token"))

    @property
    def is_cjk_split(self) -> bool:
        return self.head_part.gives == "tokens"  # each character carries a tag; a word that is read alone stays whole

    @property
    def told(self) -> Mapping[str, str]:
        return {label: spelled(label, words) for label, words in self.labels.items()}

    def adopted(self, outputs: tuple[str, ...]) -> Adopted | None:
        return read_scheme(outputs)

    def told_examples(self) -> Sequence[Example]:
        """The words of each label as one word that is a span, and those for all else as one that is none."""
        if not self.told:
            return ()
        outside = self._outside()
        spans = [(words, [(0, len(words), label)]) for label, words in self.told.items()]
        return [_example(words, [(0, len(words))], span) for words, span in [(outside, []), *spans]]

    def _outside(self) -> str:
        return self.outside or ("其他" if looks_chinese("".join(self.told.values())) else "other")

    def suited(self, counts: Mapping[str, int]) -> Tokens:
        if self.head is not None:
            return self
        name = "token" if not self.labels else "token_cosine" if counts else "word_cosine"
        return self.model_copy(update={"head": Shelf("heads").build(name)})

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(tag_names(labels))

    def arrow_fields(self) -> dict[str, str]:
        numbers = "list<int32>"
        return {
            "text": "string",
            "word_starts": numbers,
            "word_ends": numbers,
            "span_starts": numbers,
            "span_ends": numbers,
            "span_labels": "list<string>",
        }

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        if values.get("tokens") is not None:
            return _from_words(values, is_labelled)
        text = text_of(values, "text", is_labelled)
        if is_labelled and values.get("spans") is None:
            raise ValueError("has no 'spans'; give 'text' and 'spans', or 'tokens' and 'tags' (see data.columns).")
        return _example(text, words_of(text), parse_spans(values.get("spans"), text) if is_labelled else None)

    def labels_of(self, example: Example) -> Iterable[str]:
        return cast("list[str]", example["span_labels"])

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        index = {name: i for i, name in enumerate(tag_names(labels))}
        encodings = tokenizer.pieces([example["text"] for example in examples])
        encoded = []
        for example, encoding in zip(examples, encodings, strict=True):
            words, tags = _words(example), None
            notes: list[str] = []
            alignment = align(example["text"], encoding, words)
            if example.get("span_starts") is not None:
                names, notes = tag_words(words, _spans(example))
                tags = [index[name] for name in names]
                notes += lost_tags(alignment, words, tags)
            if self.head_part.gives == "words":
                features = lone_word_features(example["text"], words, tags, tokenizer)
            else:
                features = token_features(encoding, alignment, tags, tokenizer)
            encoded.append(Encoded(features, n_tokens=len(encoding.ids), notes=tuple(notes)))
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        targets = {}
        if "labels" in features[0]:
            labels = np.full(inputs["input_ids"].shape, IGNORED, np.int64)
            for row, feature in enumerate(features):
                labels[row, : len(feature["labels"])] = feature["labels"]
            targets["labels"] = labels
        return Collated(inputs, targets, len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        from torch.nn.functional import cross_entropy

        wanted = batch.targets["labels"]
        total = cross_entropy(
            logits.float().flatten(0, 1),
            wanted.flatten(),
            weight=weights,
            ignore_index=IGNORED,
            label_smoothing=smoothing,
            reduction="sum",
        )
        return total / (wanted != IGNORED).sum().clamp(min=1)  # a batch of empty texts has nothing to learn from

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        index = {name: i for i, name in enumerate(tag_names(labels))}
        logits, gold = [], list[int]()
        for row in answered:
            words = _words(row.example)
            of_words, own, _ = word_logits(row, len(words))
            names, _ = tag_words(words, _spans(row.example))
            logits.append(of_words)
            gold.extend(index[names[word]] for word in own)
        return Evidence(np.concatenate(logits), np.asarray(gold, np.int64), "softmax")

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SpanOutcome:
        names = tag_names(labels)
        gold: list[list[Span]] = []
        predicted, gold_tags, tags, confidence = [], [], [], []
        for row in answered:
            words = _words(row.example)
            row_tags, row_confidence = read_words(row, words, names, decision)
            gold.append([Span(*span) for span in _spans(row.example)])
            predicted.append(spans_from(words, row_tags, row_confidence))
            gold_tags.append(tag_words(words, _spans(row.example))[0])
            tags.append(row_tags)
            confidence.append(row_confidence)
        return SpanOutcome(gold, predicted, gold_tags, tags, confidence, labels)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Tagged]:
        names = tag_names(labels)
        answers = []
        for row in answered:
            words = _words(row.example)
            spans = spans_from(words, *read_words(row, words, names, decision))
            answers.append(Tagged(spans=tuple(_found(span, row.example["text"], decision) for span in spans)))
        return answers

    def decisions(self, example: Example, answer: Prediction) -> Sequence[str]:
        spans = [(one.start, one.end, one.label) for one in cast("Tagged", answer).spans]
        return tag_words(_words(example), spans)[0]


def _found(span: Span, text: str, decision: Decision) -> FoundSpan:
    return FoundSpan(
        start=span.start,
        end=span.end,
        label=span.label,
        text=text[span.start : span.end],
        confidence=span.confidence,
        abstained=span.confidence < decision.abstain_below,
    )


def _from_words(values: Mapping[str, Any], is_labelled: bool) -> Example:
    tokens = [str(token) for token in values["tokens"]]
    if is_labelled and not tokens:
        raise ValueError("'tokens' is empty.")
    text, words = join_words(tokens)
    if not is_labelled:
        return _example(text, words, None)
    tags = [str(tag) for tag in values.get("tags") or []]
    if len(tags) != len(tokens):
        raise ValueError(f"has {len(tokens)} tokens but {len(tags)} tags; give one tag a token.")
    spans = [(words[first][0], words[last - 1][1], label) for first, last, label in spans_of(tags)]
    return _example(text, words, spans)


def _example(text: str, words: Sequence[tuple[int, int]], spans: Sequence[tuple[int, int, str]] | None) -> Example:
    return {
        "text": text,
        "word_starts": [start for start, _ in words],
        "word_ends": [end for _, end in words],
        "span_starts": None if spans is None else [start for start, _, _ in spans],
        "span_ends": None if spans is None else [end for _, end, _ in spans],
        "span_labels": None if spans is None else [label for _, _, label in spans],
    }


def _words(example: Example) -> list[tuple[int, int]]:
    return list(zip(example["word_starts"], example["word_ends"], strict=True))


def _spans(example: Example) -> list[tuple[int, int, str]]:
    return list(zip(example["span_starts"], example["span_ends"], example["span_labels"], strict=True))
