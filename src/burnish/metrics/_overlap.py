"""Texts as words, and what two of them share: the statistics behind ROUGE, for English and Chinese alike.

The counts are the library rouge-score's (`rouge_scorer`); its own tokenizer drops every letter that is not ASCII.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

Tokens = list[str]

_CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_CHINESE}]|[^\W_{_CHINESE}]+")


def pieces(text: str, is_chinese: bool) -> Tokens:
    """Words of a text in small letters, stemmed where it is English; each Chinese character is a word of its own.

    Stems are Porter's, of words longer than three letters, as ROUGE-1.5.5 with `-m` and published scores take them.
    """
    found = _WORD.findall(text.lower())
    return found if is_chinese else [_stem(word) for word in found]


@lru_cache(maxsize=100_000)
def _stem(word: str) -> str:
    return str(_stemmer().stem(word)) if len(word) > 3 and word.isascii() else word


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from nltk.stem.porter import PorterStemmer  # a part of what rouge-score needs

    return PorterStemmer()


class Words:
    """A tokenizer for rouge-score that is handed words joined by a line break, and cuts them there."""

    @staticmethod
    def tokenize(text: str) -> Tokens:
        return text.split("\n") if text else []


def scores(golds: list[Tokens], found: Tokens, kinds: list[str]) -> list[float]:
    """F1 by each of `kinds` (rouge1, rouge2, rougeL) with that gold text for which it is highest."""
    scorer = _scorer(tuple(kinds))
    best = scorer.score_multi(["\n".join(gold) for gold in golds], "\n".join(found))
    return [float(best[kind].fmeasure) for kind in kinds]


@lru_cache(maxsize=4)
def _scorer(kinds: tuple[str, ...]) -> Any:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(list(kinds), tokenizer=Words())


def lcs_f1(gold: Tokens, found: Tokens) -> float:
    """ROUGE-L of two texts: F1 of their longest common subsequence."""
    return scores([gold], found, ["rougeL"])[0]
