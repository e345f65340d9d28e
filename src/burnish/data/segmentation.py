"""Words of a text as people read them: runs of letters and digits, and in Chinese what a dictionary knows."""

from __future__ import annotations

import re
import warnings
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_WORD = re.compile(f"(?P<han>[{_HAN}]+)|[^\\W_{_HAN}]+(?:['’][^\\W_{_HAN}]+)*|\\S")


def word_ends(text: str) -> NDArray[np.int64]:
    """[W] the character after each word, ascending: a run of letters, a Chinese word, or one other visible sign."""
    ends: list[int] = []
    for found in _WORD.finditer(text):
        if found["han"]:
            ends += (found.start() + end for end in _ends_in(found["han"]))
        else:
            ends.append(found.end())
    return np.array(ends, np.int64)


def _ends_in(run: str) -> list[int]:
    return [end for _, _, end in _dictionary().tokenize(run)] if len(run) > 1 else [1]


@lru_cache(maxsize=1)
def _dictionary() -> Any:
    """Jieba's words and its model for unknown ones.

    It is filled here, because jieba itself would read a cache that anybody may have put into the folder for temporary
    files.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its way of finding its own files is deprecated
        import jieba

        dictionary = jieba.Tokenizer()
        dictionary.FREQ, dictionary.total = dictionary.gen_pfdict(dictionary.get_dict_file())
    dictionary.initialized = True
    return dictionary


def words_of_tokens(text: str, offsets: NDArray[np.int64]) -> NDArray[np.int32]:
    """[T] the number of the word that each token belongs to, ascending from 0; offsets [T, 2] are the tokens'.

    Tokens that reach over a word's end tie both words together. White space belongs to the word after it.
    """
    if not len(offsets):
        return np.zeros(0, np.int32)
    ends = word_ends(text)
    first = np.searchsorted(ends, offsets[:, 0], side="right")
    last = np.searchsorted(ends, np.maximum(offsets[:, 1] - 1, offsets[:, 0]), side="right")
    is_new = np.ones(len(first), bool)
    is_new[1:] = first[1:] > np.maximum.accumulate(last)[:-1]
    return np.asarray(np.cumsum(is_new) - 1, np.int32)
