"""One piece of a text as the answer to a question, or none; and how alike two answers are.

English is compared as SQuAD's official script does (Rajpurkar et al. 2016, 2018), Chinese as CMRC 2018's does (Cui
et al. 2019): by character, with the longest common piece.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol, Self

import numpy as np

from burnish.metrics._contract import Answers, Bools, Decisions, Floats, Ints, Outcome

_ARTICLES = re.compile(r"\b(?:a|an|the)\b")
_NO_PUNCTUATION = str.maketrans("", "", string.punctuation)
# The characters that CMRC's script leaves out, of which '……' is one that it never meets.
_CMRC_LEFT_OUT = str.maketrans("", "", "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_CMRC_PIECE = re.compile(r"[\u4e00-\u9fa5]|[^\W\u4e00-\u9fa5]+|[^\w\s]")


class Measure(Protocol):
    """How alike a gold answer and the one found are, 0 … 1."""

    def __call__(self, gold: str, found: str, is_chinese: bool) -> float: ...


@dataclass(frozen=True)
class AnswerOutcome(Outcome):
    """Of N questions: every gold answer (none where the text holds none) and the one given ("" for none).

    `confidence` [N] is the probability of what was answered, `p_answer` [N] that the text holds an answer at all, and
    `is_chinese` [N] says how answers are compared.
    """

    kind = "answers"
    headline = ("answer_f1", "exact_match", "ece", "coverage_at_target")
    grouped = ("answer_f1", "exact_match", "ece")
    answer_noun = "questions"

    gold: Sequence[tuple[str, ...]]
    predicted: Sequence[str]
    confidence: Floats
    p_answer: Floats
    is_chinese: Bools

    def __len__(self) -> int:
        return len(self.gold)

    def take(self, rows: Ints) -> Self:
        return type(self)(
            [self.gold[row] for row in rows],
            [self.predicted[row] for row in rows],
            self.confidence[rows],
            self.p_answer[rows],
            self.is_chinese[rows],
        )

    @cached_property
    def exact(self) -> Floats:
        """[N] 1 where the answer equals one of gold's."""
        return self._best(exact_match)

    @cached_property
    def overlap(self) -> Floats:
        """[N] F1 with that gold answer which is most like it."""
        return self._best(overlap_f1)

    def _best(self, measure: Measure) -> Floats:
        rows = zip(self.gold, self.predicted, self.is_chinese.tolist(), strict=True)
        return np.array(
            [max(measure(one, found, is_chinese) for one in gold or ("",)) for gold, found, is_chinese in rows], float
        )

    @property
    def has_answer(self) -> Bools:
        """[N] whether the text holds an answer."""
        return np.array([bool(gold) for gold in self.gold], bool)

    def gold_of(self, row: int) -> object:
        return tuple(self.gold[row])

    def distance(self) -> Floats:
        return 1.0 - self.overlap

    def is_wrong(self) -> Bools:
        return np.asarray(self.exact == 0)

    def words_of(self, row: int) -> tuple[list[str], list[str]]:
        given = self.predicted[row]
        return list(dict.fromkeys(self.gold[row])), [given] if given else []

    @classmethod
    def toy(cls) -> Self:
        sure = np.ones(2)
        return cls([("a day",), ()], ["a day", ""], sure, np.array([1.0, 0.0]), np.zeros(2, bool))

    def answers(self) -> Answers:
        """One a question; saying that there is none is an answer too, and is right where gold has none."""
        return Answers(self.confidence, self.exact > 0, np.arange(len(self)))

    def decisions(self) -> Decisions:
        return Decisions(self.confidence, self.exact, np.arange(len(self)))

    def thresholded(self) -> tuple[Floats, Bools]:
        return self.p_answer[:, None], self.has_answer[:, None]


def exact_match(gold: str, found: str, is_chinese: bool) -> float:
    """1 when both are the same once case, punctuation (and English articles) are left out."""
    if is_chinese:
        return float(_chinese_plain(gold) == _chinese_plain(found))
    return float(_english_words(gold) == _english_words(found))


def overlap_f1(gold: str, found: str, is_chinese: bool) -> float:
    """F1 of what two answers share: English words in any order, Chinese characters of the longest common piece."""
    if not gold or not found:
        return float(gold == found)
    if is_chinese:
        wanted, given = _chinese_pieces(gold), _chinese_pieces(found)
        n_shared = _longest_common(wanted, given)
    else:
        wanted, given = _english_words(gold), _english_words(found)
        n_shared = (Counter(wanted) & Counter(given)).total()
    if not wanted or not given:
        return float(wanted == given)
    return 2 * n_shared / (len(wanted) + len(given))


def _english_words(text: str) -> list[str]:
    return _ARTICLES.sub(" ", text.lower().translate(_NO_PUNCTUATION)).split()


def _chinese_plain(text: str) -> str:
    return text.lower().strip().translate(_CMRC_LEFT_OUT)


def _chinese_pieces(text: str) -> list[str]:
    """Chinese characters, and what lies between them cut into words and signs (the script asks nltk for these)."""
    return _CMRC_PIECE.findall(_chinese_plain(text))


def _longest_common(one: Sequence[str], other: Sequence[str]) -> int:
    """Length of the longest run of pieces that both hold."""
    longest, row = 0, [0] * (len(other) + 1)
    for piece in one:
        row = [0, *(before + 1 if piece == same else 0 for same, before in zip(other, row, strict=False))]
        longest = max(longest, *row)
    return longest
