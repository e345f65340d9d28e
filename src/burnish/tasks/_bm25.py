"""BM25: how well texts answer the words of a query, from counts alone.

A text scores Σ idf(t) · f (k1 + 1) ÷ (f + k1 (1 − b + b · length ÷ mean length)) over the terms t of the query that it
holds f times (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework: BM25 and Beyond", §3.3), with
idf(t) = ln(1 + (N − n + 0.5) ÷ (n + 0.5)) for a term in n of N texts, which is never negative (as Lucene has it).
"""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
"""How soon further occurrences of a term stop counting."""
B = 0.75
"""How much long texts are held back."""

_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\u3040-\u30ff\U00020000-\U0003ffff"
_RUNS = re.compile(rf"[{_HAN}]+|[^\W_{_HAN}]+")
_IS_HAN = re.compile(rf"[{_HAN}]")


def terms_of(text: str) -> Iterator[str]:
    """Words in lower case; of Chinese and Japanese, written without spaces, characters and pairs of neighbours."""
    for found in _RUNS.finditer(unicodedata.normalize("NFKC", text).casefold()):
        run = found[0]
        if not _IS_HAN.match(run):
            yield run
            continue
        yield from run
        yield from (run[at : at + 2] for at in range(len(run) - 1))


class Bm25:
    """The postings of N texts: for each term the texts that hold it and what it gives each of them."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._terms: dict[str, int] = {}
        term, row, count, lengths = array("i"), array("i"), array("i"), array("i")
        for number, text in enumerate(texts):
            counts = Counter(terms_of(text))
            lengths.append(sum(counts.values()))
            for name, times in counts.items():
                term.append(self._terms.setdefault(name, len(self._terms)))
                row.append(number)
                count.append(times)
        self._lay_out(*(np.array(column, np.int32) for column in (term, row, count, lengths)))

    def _lay_out(
        self, term: NDArray[np.int32], row: NDArray[np.int32], count: NDArray[np.int32], lengths: NDArray[np.int32]
    ) -> None:
        self._n = len(lengths)
        n_texts = np.bincount(term, minlength=len(self._terms))
        self._starts = np.concatenate([[0], np.cumsum(n_texts)])
        idf = np.log1p((self._n - n_texts + 0.5) / (n_texts + 0.5))
        held_back = K1 * (1 - B + B * lengths / max(float(lengths.mean()), 1.0))
        gains = idf[term] * count * (K1 + 1) / (count + held_back[row])
        order = np.argsort(term, kind="stable")
        self._rows, self._gains = row[order], gains[order].astype(np.float32)

    def scores(self, query: str) -> NDArray[np.float32]:
        """[N] score of every text; 0 where it holds no term of the query. A term said twice counts twice."""
        scores = np.zeros(self._n, np.float32)
        for name, times in Counter(terms_of(query)).items():
            if (term := self._terms.get(name)) is not None:
                span = slice(self._starts[term], self._starts[term + 1])
                scores[self._rows[span]] += times * self._gains[span]  # a text stands in a term's postings once
        return scores
