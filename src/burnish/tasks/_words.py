"""Words of a text as character offsets, and the join from words back to a text."""

from __future__ import annotations

import re
from collections.abc import Sequence

# Han (with extensions), kana, hangul and CJK punctuation: written without spaces, a word of its own each.
# Full-width Latin letters are letters, and make runs as others do.
_CJK = (
    "\u3001-\u303f\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\uff65-\uffdc\U00020000-\U0003ffff"
)
_CJK_LETTER = re.compile(f"[{_CJK}]")
# A combining accent, a joiner or a variation selector belongs to the letter before it.
_MARKS = "\u0300-\u036f\u200d\ufe0e\ufe0f"
WORD = re.compile(f"[{_CJK}]|(?:(?![{_CJK}])[^\\W_][{_MARKS}]*)+|\\S[{_MARKS}]*")


def words_of(text: str) -> list[tuple[int, int]]:
    """(start, end) of each word: a CJK character, a run of letters and digits, or one other visible character."""
    return [found.span() for found in WORD.finditer(text)]


def is_cjk_letter(word: str) -> bool:
    """Whether a word is one character of a script written without spaces."""
    return _CJK_LETTER.fullmatch(word) is not None


def join_words(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """A text made of given words, and where each stands in it. Mostly CJK words are joined without spaces."""
    n_cjk = sum(1 for word in words if _CJK_LETTER.match(word))
    gap = "" if 2 * n_cjk > len(words) else " "
    offsets, start = [], 0
    for word in words:
        offsets.append((start, start + len(word)))
        start += len(word) + len(gap)
    return gap.join(words), offsets
