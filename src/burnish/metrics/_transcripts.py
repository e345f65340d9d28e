"""What was said and what was written down, for each row; and how many edits lie between the two.

Texts are compared as speech is scored: case and punctuation are left out, white space parts words, an apostrophe
inside a word stays. Numbers and abbreviations are not spelled out: `7` and `seven` differ. In Chinese and Japanese
every character is a word of its own, so that the word error rate is the character error rate, which is what is told
for them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from burnish.metrics._contract import Bools, Floats, Ints, Outcome

_NOT_SAID = re.compile(r"(?<!\w)'|'(?!\w)|[^\w\s']|_")
_SPACELESS = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])")


@dataclass(frozen=True)
class TranscriptOutcome(Outcome):
    """gold [N] what was said, written [N] what the model wrote down."""

    kind = "transcripts"
    headline = ("wer", "cer")
    grouped = ("wer", "cer")
    answer_noun = "transcripts"

    gold: Sequence[str]
    written: Sequence[str]

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: Ints) -> Self:
        return type(self)([self.gold[row] for row in rows], [self.written[row] for row in rows])

    @cached_property
    def of_words(self) -> tuple[Ints, Ints]:
        """[N] edits between the words of each row, and [N] how many words were said."""
        return _edits([said_words(text) for text in self.gold], [said_words(text) for text in self.written])

    @cached_property
    def of_characters(self) -> tuple[Ints, Ints]:
        """The same for characters, white space between words counted once."""
        return _edits([said_letters(text) for text in self.gold], [said_letters(text) for text in self.written])

    def gold_of(self, row: int) -> object:
        return self.gold[row]

    def distance(self) -> Floats:
        n_edits, n_words = self.of_words
        return np.asarray(n_edits / np.maximum(n_words, 1), float)

    def is_wrong(self) -> Bools:
        return np.asarray(self.of_words[0] > 0)

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        return [self.gold[row]], [self.written[row]]

    @classmethod
    def toy(cls) -> Self:
        return cls(["turn left"] * 2, ["turn left"] * 2)


def said_words(text: str) -> list[str]:
    """The words of a text as speech is scored."""
    plain = _NOT_SAID.sub(" ", unicodedata.normalize("NFKC", text).replace("’", "'").casefold())
    return _SPACELESS.sub(r" \1 ", plain).split()


def said_letters(text: str) -> str:
    """The characters of a text as speech is scored; between characters of Chinese or Japanese there is no space."""
    spaced = " ".join(said_words(text))
    return re.sub(rf"(?<={_SPACELESS.pattern}) (?={_SPACELESS.pattern})", "", spaced)


def n_edits(one: Sequence[Hashable], other: Sequence[Hashable]) -> int:
    """Fewest insertions, deletions and substitutions that turn one into the other (Levenshtein 1966).

    A row of the table at a time: insertions along it are a running minimum.
    """
    codes: dict[Hashable, int] = {}
    first, second = (np.array([codes.setdefault(item, len(codes)) for item in side], np.int64) for side in (one, other))
    places = np.arange(len(second) + 1)
    row = places.copy()
    for number, code in enumerate(first.tolist(), start=1):
        best = np.minimum(row[1:] + 1, row[:-1] + (second != code))
        row = np.minimum.accumulate(np.concatenate([[number], best]) - places) + places
    return int(row[-1])


def _edits(gold: Sequence[Sequence[Hashable]], written: Sequence[Sequence[Hashable]]) -> tuple[Ints, Ints]:
    edits = [n_edits(one, other) for one, other in zip(gold, written, strict=True)]
    return np.array(edits, np.int64), np.array([len(one) for one in gold], np.int64)
