"""Words read one by one, each as a text of its own: what a head for `words` sees of a text.

Chinese is written without spaces, and a character alone says little: runs of its characters are cut into words by jieba
(its dictionary and hidden Markov model). The tags still belong to characters; the first of a word carries its answer.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from burnish.core.shelves import need
from burnish.tasks._alignment import IGNORED, Offsets
from burnish.tasks._contract import Feature
from burnish.tasks._words import is_cjk_letter

if TYPE_CHECKING:
    from burnish.models.tokenizer import TextTokenizer

Group = tuple[int, int]
"""First of a text's words, and the one after the last, that are read together."""


def lone_word_features(
    text: str, words: Offsets, tags: Sequence[int] | None, tokenizer: TextTokenizer
) -> list[Feature]:
    """One feature for each word that has a letter or digit in it; a text without any gives one that is empty.

    Returns:
        Those of `token_features`: the first token of a feature stands for the group's words, all others for none.
    """
    groups = [one for one in _groups(text, words) if any(map(str.isalnum, _said(text, words, one)))]
    encodings = tokenizer.ids([_said(text, words, one) for one in groups])
    features = [
        _feature(encoding.ids, group, tags, tokenizer)
        for encoding, group in zip(encodings, groups, strict=True)
        if len(encoding.ids) > len(tokenizer.prefix) + len(tokenizer.suffix)
    ]
    return features or [_feature([*tokenizer.prefix, *tokenizer.suffix], (0, 0), tags, tokenizer)]


def _feature(ids: Sequence[int], group: Group, tags: Sequence[int] | None, tokenizer: TextTokenizer) -> Feature:
    begin, end = len(tokenizer.prefix), len(ids) - len(tokenizer.suffix)
    feature = {
        "input_ids": np.asarray(ids, np.int32),
        "word": np.full(len(ids), -1, np.int32),
        "n_covered": np.zeros(len(ids), np.int32),
    }
    if tags is not None:
        feature["labels"] = np.full(len(ids), IGNORED, np.int32)
    if begin < end:
        feature["word"][begin], feature["n_covered"][begin] = group[0], group[1] - group[0]
        if tags is not None:
            feature["labels"][begin] = tags[group[0]]
    return feature


def _said(text: str, words: Offsets, group: Group) -> str:
    return text[words[group[0]][0] : words[group[1] - 1][1]]


def _groups(text: str, words: Offsets) -> Iterator[Group]:
    """Every word by itself; Chinese characters that follow one another by the words that they make."""
    first = 0
    while first < len(words):
        last = first
        while last < len(words) and is_cjk_letter(text[words[last][0] : words[last][1]]) and _joins(words, first, last):
            last += 1
        if last > first + 1:
            yield from _cut(text[words[first][0] : words[last - 1][1]], first)
        else:
            yield first, first + 1
        first = max(last, first + 1)


def _joins(words: Offsets, first: int, last: int) -> bool:
    return last == first or words[last - 1][1] == words[last][0]


def _cut(run: str, first: int) -> Iterator[Group]:
    jieba = need("jieba", "train")
    jieba.setLogLevel(logging.WARNING)
    for word in jieba.cut(run):
        yield first, first + len(word)
        first += len(word)
