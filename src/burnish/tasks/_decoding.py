"""From logits of tokens to tags of words to spans of characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from burnish.data.tagging import spans_of
from burnish.metrics._spans import Span
from burnish.tasks._alignment import Offsets
from burnish.tasks._contract import Answered, Decision

Floats = NDArray[np.float64]
TIE = 1e-5  # more than equal vectors come apart in float32, less than any difference that means something


def tag_names(labels: Sequence[str]) -> tuple[str, ...]:
    """O, then B-x and I-x of each label: the outputs of the head, B- at odd places."""
    return ("O", *(f"{side}-{label}" for label in labels for side in "BI"))


def word_logits(answered: Answered, n_words: int) -> tuple[Floats, NDArray[np.int64], NDArray[np.int64]]:
    """Logits of the words that have a token of their own, merged over windows.

    Returns:
        logits [W', K]; the W' words' numbers, ascending; leader [n_words]: the word itself where it has a token, the
        earlier word whose token covers it, or -1 where no token stands for it at all.
    """
    leader = np.full(n_words, -1, np.int64)
    numbers, outputs = [], []
    for feature, output in zip(answered.features, answered.outputs, strict=True):
        tokens = np.flatnonzero(feature["word"] >= 0)
        own, n_covered = feature["word"][tokens], feature["n_covered"][tokens]
        for token in np.flatnonzero(n_covered > 1):
            leader[own[token] : own[token] + n_covered[token]] = own[token]
        numbers.append(own)
        outputs.append(output[tokens])
    found, rows = np.concatenate(numbers).astype(np.int64), np.concatenate(outputs)
    words, last = np.unique(found[::-1], return_index=True)
    leader[words] = words
    return rows[len(found) - 1 - last].astype(np.float64), words, leader


def best_path(scores: Floats) -> NDArray[np.int64]:
    """Most probable legal IOB2 sequence (Viterbi 1967): scores [W, K] log-probabilities → tag indices [W].

    Of B-x and I-x that are equally probable, as where both start from one label's words, a span goes on.
    """
    n_words, n_tags = scores.shape
    if not n_words:
        return np.zeros(0, np.int64)
    is_inside = np.arange(n_tags) % 2 * -1 % 2 == 0
    is_inside[0] = False
    scores = scores + TIE * is_inside
    likeliest: NDArray[np.int64] = scores.argmax(1)
    if _is_legal(likeliest, is_inside):
        return likeliest
    allowed = np.zeros((n_tags, n_tags))
    for tag in np.flatnonzero(is_inside):
        allowed[:, tag] = -np.inf
        allowed[[tag - 1, tag], tag] = 0
    total = scores[0] + np.where(is_inside, -np.inf, 0)
    back = np.zeros((n_words, n_tags), np.int64)
    for word in range(1, n_words):
        paths = total[:, None] + allowed
        back[word] = paths.argmax(0)
        total = paths.max(0) + scores[word]
    tags = [int(total.argmax())]
    for word in range(n_words - 1, 0, -1):
        tags.append(int(back[word, tags[-1]]))
    return np.asarray(tags[::-1], np.int64)


def _is_legal(tags: NDArray[np.int64], is_inside: NDArray[np.bool_]) -> bool:
    """Whether each I-x follows B-x or I-x."""
    steps = np.diff(tags)
    goes_on = (steps == 0) | (steps == 1)  # I-x stands behind B-x
    return not is_inside[tags[0]] and bool(np.all(goes_on | ~is_inside[tags[1:]]))


def read_words(
    answered: Answered, words: Offsets, names: Sequence[str], decision: Decision
) -> tuple[list[str], list[float]]:
    """The tag of each word and its calibrated probability."""
    logits, own, leader = word_logits(answered, len(words))
    scores = decision.probabilities(logits, "softmax")
    path = best_path(np.log(np.maximum(scores, 1e-300)))
    tag = {int(word): names[index] for word, index in zip(own, path, strict=True)}
    sure = {int(word): float(row[index]) for word, row, index in zip(own, scores, path, strict=True)}
    tags = [_tag_of(word, leader, tag) for word in range(len(words))]
    _bridge(tags, leader)
    return tags, [sure.get(int(leader[word]), 1.0) for word in range(len(words))]


def spans_from(words: Offsets, tags: Sequence[str], confidence: Sequence[float]) -> list[Span]:
    """Character spans; a span is as certain as its least certain word."""
    return [
        Span(words[first][0], words[last - 1][1], label, min(confidence[first:last]))
        for first, last, label in spans_of(list(tags))
    ]


def _tag_of(word: int, leader: NDArray[np.int64], tag: dict[int, str]) -> str:
    if leader[word] < 0:
        return "O"
    own = tag[int(leader[word])]
    return own if leader[word] == word or own == "O" else f"I{own[1:]}"


def _bridge(tags: list[str], leader: NDArray[np.int64]) -> None:
    """A word that no token stands for goes with a span that continues on both of its sides."""
    for word in np.flatnonzero(leader < 0):
        before = tags[word - 1] if word else "O"
        after = next((tags[i] for i in range(word + 1, len(tags)) if leader[i] >= 0), "O")
        if before != "O" and after == f"I{before[1:]}":
            tags[word] = after
