"""A question and the text that may hold its answer: windows over the text, and the best pieces of it.

A window holds the whole question and as much of the context as there is room for. Windows are trained apart, so their
logits have no common zero; pointing at the first token, "no answer in this window", does it: a piece of text scores
what it has above that, and pieces of different windows can be compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.tasks._alignment import windows
from burnish.tasks._contract import Answered, Encoded, Example, Feature

if TYPE_CHECKING:
    from tokenizers import Encoding
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

N_BEST = 20
NOWHERE = -1
NEVER = -1e4  # the logit of a place that a text has no candidate for; finite, as calibrations ask

Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Piece = tuple[int, int]


class Candidates(NamedTuple):
    """The best pieces [at most N_BEST] as characters of the context, and logits [1 + N_BEST]: no answer's, theirs."""

    pieces: list[Piece]
    logits: Floats


def encode_passages(examples: Sequence[Example], tokenizer: TextTokenizer, most_tokens: int) -> list[Encoded]:
    """Features of each example: input_ids [T]; token_type_ids [T] where the second text has types of its own.

    piece_starts [T] and piece_ends [T] are the characters of the context that a token stands for, -1 elsewhere.
    Labelled examples have target [2]: the answer's first and last token, or 0 and 0 where the window lacks it.
    """
    questions = tokenizer.pieces([example["text"] for example in examples])
    contexts = list(dict.fromkeys(example["text_pair"] for example in examples))  # many questions ask about one text
    places = {text: (one, *_places(text, one)) for text, one in zip(contexts, tokenizer.pieces(contexts), strict=True)}
    return [
        _encoded(example, question, places[example["text_pair"]], tokenizer, most_tokens)
        for example, question in zip(examples, questions, strict=True)
    ]


def _places(text: str, encoding: Encoding) -> tuple[Int32s, Int32s]:
    """First character and the one after the last of each token; -1 where a token has no character of its own."""
    starts = np.full(len(encoding.ids), NOWHERE, np.int32)
    ends = starts.copy()
    for token, (start, end) in enumerate(encoding.offsets):
        while start < end and text[start].isspace():  # some tokenizers give the space to the token behind it
            start += 1
        if start < end:
            starts[token], ends[token] = start, end
    is_shared = np.append(starts[:-1] == starts[1:], False)  # a lone word mark, or all but the last byte of a character
    return np.where(is_shared, NOWHERE, starts), np.where(is_shared, NOWHERE, ends)


def _encoded(
    example: Example,
    question: Encoding,
    context: tuple[Encoding, Int32s, Int32s],
    tokenizer: TextTokenizer,
    most_tokens: int,
) -> Encoded:
    encoding, starts, ends = context
    room = tokenizer.max_length - len(tokenizer.prefix) - len(tokenizer.between) - len(tokenizer.suffix)
    asked = question.ids[: room // 2]  # the other half stays for the context
    before = [*tokenizer.prefix, *asked, *tokenizer.between]
    features = []
    for begin, end, _ in windows(len(encoding.ids), room - len(asked)):
        after = [NOWHERE] * len(tokenizer.suffix)
        feature = {
            "input_ids": _joined(before, encoding.ids[begin:end], tokenizer.suffix),
            "piece_starts": _joined([NOWHERE] * len(before), starts[begin:end], after),
            "piece_ends": _joined([NOWHERE] * len(before), ends[begin:end], after),
        }
        if tokenizer.has_pair_types:
            n_second = len(feature["input_ids"]) - len(before)
            feature["token_type_ids"] = np.repeat(np.array([0, 1], np.int32), [len(before), n_second])
        features.append(feature)
    notes = [example["note"]] if example.get("note") else []
    if example.get("answer_starts") is not None:
        notes += _add_targets(features, _learned(example), most_tokens)
    n_cut = len(question.ids) - len(asked)
    n_tokens = len(before) + n_cut + len(encoding.ids) + len(tokenizer.suffix)
    return Encoded(features, n_tokens, n_cut, tuple(notes))


def _joined(before: Sequence[int], body: Sequence[int] | Int32s, after: Sequence[int]) -> Int32s:
    return np.concatenate([np.asarray(part, np.int32) for part in (before, body, after)])


def gold_pieces(example: Example) -> list[Piece]:
    """The gold answers that stand in the context, as characters of it."""
    pairs = zip(example["answer_starts"], example["answer_texts"], strict=True)
    return [(start, start + len(text)) for start, text in pairs if start != NOWHERE]


def _learned(example: Example) -> Piece | None:
    """The answer that is learned: the first of several."""
    return next(iter(gold_pieces(example)), None)


def _add_targets(features: Sequence[Feature], gold: Piece | None, most_tokens: int) -> list[str]:
    """Put `target` into each feature; a note where the answer cannot be learned, or never be given."""
    found = [None if gold is None else _token_span(feature, gold) for feature in features]
    for feature, span in zip(features, found, strict=True):
        feature["target"] = np.asarray(span or (0, 0), np.int32)
    if gold is None:
        return []
    widths = [last - first + 1 for first, last in filter(None, found)]
    if not widths:
        return ["no window holds the whole answer; it is not learned."]
    if widths[0] > most_tokens:
        return [f"the answer has {widths[0]} tokens, and none above max_answer_tokens ({most_tokens}) is given."]
    return []


def _token_span(feature: Feature, piece: Piece) -> tuple[int, int] | None:
    """First and last token of a piece of the context; None where the feature does not hold it whole."""
    tokens = np.flatnonzero(feature["piece_starts"] != NOWHERE)
    starts, ends = feature["piece_starts"][tokens], feature["piece_ends"][tokens]
    first, last = int(np.searchsorted(ends, piece[0], "right")), int(np.searchsorted(starts, piece[1], "left")) - 1
    if first >= len(tokens) or last < first or starts[first] > piece[0] or ends[last] < piece[1]:
        return None
    return int(tokens[first]), int(tokens[last])


def candidate_mask(features: Sequence[Feature], n_tokens: int) -> NDArray[np.bool_]:
    """[B, T] whether an answer may start or end at a token: those of the context, and the first, for no answer."""
    mask = np.zeros((len(features), n_tokens), bool)
    mask[:, 0] = True
    for row, feature in enumerate(features):
        mask[row, : len(feature["piece_starts"])] |= feature["piece_starts"] != NOWHERE
    return mask


def span_loss(logits: Tensor, is_candidate: Tensor, wanted: Tensor, smoothing: float) -> Tensor:
    """Mean cross-entropy of start and end: logits [B, T, 2] among the candidates [B, T], wanted tokens [B, 2]."""
    barred = ~is_candidate[..., None]
    scores = logits.float().masked_fill(barred, float("-inf")).log_softmax(1)
    loss = -scores.gather(1, wanted[:, None, :]).mean()
    if not smoothing:
        return loss
    evenly = -(scores.masked_fill(barred, 0.0).sum(1) / is_candidate.sum(1, keepdim=True)).mean()
    return (1 - smoothing) * loss + smoothing * evenly


def find_candidates(row: Answered, most_tokens: int) -> Candidates:
    """The best pieces of the context over all windows; a piece that two windows hold counts with its better score."""
    best: dict[Piece, float] = {}
    for feature, output in zip(row.features, row.outputs, strict=True):
        for piece, score in _best_pieces(feature, output.astype(np.float64), most_tokens):
            best[piece] = max(score, best.get(piece, score))
    ranked = sorted(best.items(), key=lambda item: (-item[1], item[0]))[:N_BEST]
    logits = np.full(1 + N_BEST, NEVER)
    logits[0] = 0.0
    logits[1 : 1 + len(ranked)] = [score for _, score in ranked]
    return Candidates([piece for piece, _ in ranked], logits)


def _best_pieces(feature: Feature, output: Floats, most_tokens: int) -> Iterator[tuple[Piece, float]]:
    """The best pieces of one window, start ≤ end, at most `most_tokens` long, with their scores above no answer's."""
    is_barred = feature["piece_starts"] == NOWHERE
    starts, ends = np.where(is_barred[:, None], -np.inf, output).T
    width = min(most_tokens, len(starts))
    following = np.lib.stride_tricks.sliding_window_view(np.append(ends, np.full(width - 1, -np.inf)), width)
    scores = (starts[:, None] + following).ravel()  # [T · width]: a start, and how many tokens behind it the end
    for place in np.argpartition(-scores, min(N_BEST, len(scores) - 1))[:N_BEST]:
        first, further = divmod(int(place), width)
        if np.isfinite(scores[place]):
            piece = int(feature["piece_starts"][first]), int(feature["piece_ends"][first + further])
            yield piece, float(scores[place] - output[0].sum())


def with_gold(row: Answered, found: Candidates) -> tuple[Floats, int] | None:
    """Logits [1 + N_BEST] with gold's among them, and its index; None where no window holds a gold answer whole.

    Gold that is none of the best takes the place of the last of them.
    """
    golds = gold_pieces(row.example)
    if not row.example["answer_starts"]:
        return found.logits, 0
    places = [found.pieces.index(piece) for piece in golds if piece in found.pieces]
    if places:
        return found.logits, 1 + min(places)
    scores = [score for piece in golds for score in _scores_of(row, piece)]
    if not scores:
        return None
    return np.append(found.logits[:-1], max(scores)), N_BEST


def _scores_of(row: Answered, piece: Piece) -> Iterator[float]:
    for feature, output in zip(row.features, row.outputs, strict=True):
        if (span := _token_span(feature, piece)) is not None:
            yield float(output[span[0], 0] + output[span[1], 1] - output[0].sum())
