"""How long texts are: characters and words of each, and quantiles of such numbers."""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

# Characters of scripts written without spaces: kana, Han with its extension A, compatibility ideographs, planes 2–3.
_SPACELESS = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class Quantiles(BaseModel):
    """Least, middle, 95 % and greatest of some counts: values that do occur, none in between."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    minimum: int
    median: int
    p95: int
    maximum: int


@dataclass(frozen=True)
class TextMeasures:
    """Of N texts: their lengths, and how many are empty."""

    characters: NDArray[np.int32]
    words: NDArray[np.int32]
    n_empty: int


def measure(texts: Iterable[str]) -> TextMeasures:
    """Lengths of streamed texts; eight bytes each stay in memory."""
    characters, words = array("i"), array("i")
    n_empty = 0
    for text in texts:
        characters.append(len(text))
        words.append(count_words(text))
        n_empty += not text.strip()
    return TextMeasures(np.frombuffer(characters, np.int32), np.frombuffer(words, np.int32), n_empty)


def count_words(text: str) -> int:
    """Runs between white space; each Chinese or Japanese character is a word of its own."""
    if text.isascii():
        return len(text.split())
    return len(_SPACELESS.sub(" x ", text).split())


def looks_chinese(text: str) -> bool:
    """Whether more than a fifth of the letters are Chinese characters."""
    if text.isascii():
        return False
    letters = [letter for letter in text if letter.isalpha()]
    n_chinese = sum("一" <= letter <= "鿿" for letter in letters)
    return n_chinese > 0.2 * max(len(letters), 1)


def quantiles(counts: NDArray[np.integer[Any]]) -> Quantiles:
    """Quantiles of [N] counts; zeros when there are none."""
    if not len(counts):
        return Quantiles(minimum=0, median=0, p95=0, maximum=0)
    found = np.quantile(counts, [0, 0.5, 0.95, 1], method="inverted_cdf").tolist()
    return Quantiles(minimum=found[0], median=found[1], p95=found[2], maximum=found[3])
