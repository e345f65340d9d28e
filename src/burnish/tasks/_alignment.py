"""Spans, words and tokens: who stands where, in windows when a text is long.

The rule that keeps labels from shifting: a word's tag is learned on all of its tokens and read from its first.
Words come from the data where it has them (CoNLL columns), else from the text. A token owned by two overlapping
windows counts in one of them only, the one that shows more of its surroundings.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burnish.tasks._contract import Feature

if TYPE_CHECKING:
    from tokenizers import Encoding

    from burnish.models.tokenizer import TextTokenizer

IGNORED = -100
Int32s = NDArray[np.int32]
Offsets = Sequence[tuple[int, int]]


def tag_words(words: Offsets, spans: Sequence[tuple[int, int, str]]) -> tuple[list[str], list[str]]:
    """IOB2 tag of each word, and a note for every span that does not begin and end where words do.

    Such a span is widened to whole words for training; as gold it stays as it was.
    """
    tags, notes = ["O"] * len(words), []
    starts = [start for start, _ in words]
    for start, end, label in spans:
        first = max(bisect_right(starts, start) - 1, 0)
        covered = [i for i in range(first, len(words)) if words[i][0] < end and words[i][1] > start]
        if not covered:
            notes.append(f"the span {start}–{end} ({label}) holds no word")
            continue
        if words[covered[0]][0] != start or words[covered[-1]][1] != end:
            notes.append(f"the span {start}–{end} ({label}) begins or ends inside a word")
        for order, word in enumerate(covered):
            if tags[word] == "O":
                tags[word] = f"B-{label}" if order == 0 else f"I-{label}"
    return tags, notes


@dataclass(frozen=True)
class Alignment:
    """Tokens of a text against its words; arrays over its T tokens.

    `word` is the word that a token begins in, or -1; `is_first` whether it is that word's first token; `n_covered`
    how many words a first token stands for: its own, and those after it that have no first token of their own.
    """

    word: Int32s
    is_first: NDArray[np.bool_]
    n_covered: Int32s


def align(text: str, encoding: Encoding, words: Offsets) -> Alignment:
    """`encoding` is of the whole text, without special tokens."""
    n = len(encoding.offsets)
    word, is_first, n_covered = np.full(n, -1, np.int32), np.zeros(n, bool), np.zeros(n, np.int32)
    starts = [start for start, _ in words]
    seen, first = -1, 0
    for token, (start, end) in enumerate(encoding.offsets):
        while start < end and text[start].isspace():  # some tokenizers give the space to the token behind it
            start += 1
        found = bisect_right(starts, start) - 1
        if start >= end or found < 0 or words[found][1] <= start:
            continue
        last = bisect_right(starts, end - 1) - 1
        word[token], is_first[token] = found, found > seen
        first = token if found > seen else first
        seen = max(seen, last)
        n_covered[first] = seen - word[first] + 1
    return Alignment(word, is_first, n_covered)


def lost_tags(alignment: Alignment, words: Offsets, tags: Sequence[int]) -> list[str]:
    """A note for every run of words of which only the first has a token of its own, and that carry several labels."""
    notes = []
    for token in np.flatnonzero(alignment.n_covered > 1):
        first = int(alignment.word[token])
        covered = range(first + 1, first + int(alignment.n_covered[token]))
        if any(tags[word] != _inside(tags[first]) for word in covered):
            notes.append(
                f"the characters {words[first][0]}–{words[covered[-1]][1]} share a token but carry several labels"
            )
    return notes


def token_features(
    encoding: Encoding, alignment: Alignment, tags: Sequence[int] | None, tokenizer: TextTokenizer
) -> list[Feature]:
    """Windows of one text.

    `tags` are the index of each word's tag among O, B-x, I-x, …, or None when the text is unlabelled.

    Returns:
        input_ids [T]; word [T], the word whose first token this is, else -1; n_covered [T], how many words that
        token stands for; and labels [T] when `tags` are given, -100 for special and foreign tokens.
    """
    ids = np.asarray(encoding.ids, np.int32)
    labels = _token_labels(alignment, tags)
    own = np.where(alignment.is_first, alignment.word, -1)
    room = tokenizer.max_length - len(tokenizer.prefix) - len(tokenizer.suffix)
    features = []
    for begin, end, owned in windows(len(ids), room):
        is_owned = np.zeros(end - begin, bool)
        is_owned[owned[0] - begin : owned[1] - begin] = True
        feature = {
            "input_ids": _framed(ids[begin:end], tokenizer.prefix, tokenizer.suffix),
            "word": _framed(np.where(is_owned, own[begin:end], -1), *_blank(tokenizer, -1)),
            "n_covered": _framed(alignment.n_covered[begin:end], *_blank(tokenizer, 0)),
        }
        if labels is not None:
            feature["labels"] = _framed(np.where(is_owned, labels[begin:end], IGNORED), *_blank(tokenizer, IGNORED))
        features.append(feature)
    return features


def _inside(tag: int) -> int:
    """The tag that continues `tag`: B-x is odd and I-x follows it; O is 0."""
    return tag + tag % 2


def _token_labels(alignment: Alignment, tags: Sequence[int] | None) -> Int32s | None:
    """Tag index of each token: its word's, continued as I- on the tokens after the word's first."""
    if tags is None:
        return None
    labels = np.full(len(alignment.word), IGNORED, np.int32)
    has_word = alignment.word >= 0
    word, is_first = alignment.word[has_word], alignment.is_first[has_word]
    begun, continued = np.asarray(tags, np.int32), np.asarray([_inside(tag) for tag in tags], np.int32)
    if len(begun):
        labels[has_word] = np.where(is_first, begun[word], continued[word])
    return labels


def windows(n_tokens: int, room: int) -> list[tuple[int, int, tuple[int, int]]]:
    """(begin, end, owned range) of windows of at most `room` tokens that overlap by a quarter."""
    if n_tokens <= room:
        return [(0, n_tokens, (0, n_tokens))]
    overlap = room // 4
    begins = list(range(0, n_tokens - overlap, room - overlap))
    windows = []
    for order, begin in enumerate(begins):
        end = min(begin + room, n_tokens)
        owned_from = begin if order == 0 else begin + overlap // 2
        owned_to = end if order == len(begins) - 1 else begins[order + 1] + overlap // 2
        windows.append((begin, end, (owned_from, owned_to)))
    return windows


def _framed(body: Int32s, prefix: Sequence[int], suffix: Sequence[int]) -> Int32s:
    return np.concatenate([np.asarray(prefix, np.int32), body, np.asarray(suffix, np.int32)]).astype(np.int32)


def _blank(tokenizer: TextTokenizer, value: int) -> tuple[list[int], list[int]]:
    return [value] * len(tokenizer.prefix), [value] * len(tokenizer.suffix)
