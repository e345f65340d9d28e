"""Cue words: what a number is, said by the words beside it, in English and Chinese."""

from __future__ import annotations

import re
from collections.abc import Iterator

_FILLER = (  # what stands between a cue and its value: "card number is: ", "号码为："
    r"(?:(?!\[[A-Z_]+\])[\s:：=#,，'\"“”‘’「」\[\](<>/.-]|号码|号|码|是|为|為|了|我|的|"
    r"(?:numbers?|num|nr|no|is|was|are|at|on|to|me|us|my|the|id|code|card)(?![a-z]))"
)
_PLACEHOLDER = re.compile(r"\[[A-Z_]+\]\Z")
_SKIPPED = re.compile(rf"{_FILLER}{{0,10}}+", re.IGNORECASE)
_WORD_END = r"(?:s?(?![a-z])|(?=n(?:um(?:ber)?|o)(?![a-z])))"  # phone, phones, phonenumber; but not phonetic
_REACH, _FAR, _LONGEST = 28, 24, 44  # characters: of a cue with fillers, of being near, of a number with separators


class Cue:
    """Words in lower case that say what stands behind them. English words are not found inside longer ones."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self._word = re.compile("|".join(re.escape(one) + _WORD_END * one.isascii() for one in words))

    def is_before(self, shadow: str, place: int) -> bool:
        """Whether a cue stands directly before a place, but for fillers."""
        before = shadow[max(0, place - _REACH) : place]
        return any(_SKIPPED.fullmatch(before, end) for end in self.ends(before))

    def is_near(self, shadow: str, place: int) -> bool:
        """Whether a cue stands within some words before a place."""
        return any(True for _ in self.ends(shadow[max(0, place - _FAR) : place]))

    def ends(self, shadow: str) -> Iterator[int]:
        """Where cues end, in order."""
        lowered = shadow.lower()
        for word in self._word.finditer(lowered):
            at, end = word.span()
            is_inside = at and word[0][0].isascii() and "a" <= lowered[at - 1] <= "z"
            if not is_inside and not (
                shadow[end : end + 1] == "]" and _PLACEHOLDER.search(shadow, at - 20 if at > 20 else 0, end + 1)
            ):
                yield end

    def surroundings(self, shadow: str) -> Iterator[tuple[int, int]]:
        """Start and end of the stretches within some words of a cue, with room for a number to end; in order."""
        reached = 0
        for end in self.ends(shadow):
            if end + _FAR > reached:
                start, reached = max(reached, end - _FAR) - _LONGEST, end + _FAR + _LONGEST
                yield max(0, start), reached

    def values(self, shadow: str, value: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """What matches directly behind each cue, but for fillers."""
        for end in self.ends(shadow):
            skipped = _SKIPPED.match(shadow, end)
            found = value.match(shadow, skipped.end() if skipped else end)
            if found:
                yield found


OTHER = Cue(
    "order", "invoice", "ticket", "tracking", "serial", "sku", "batch", "reference", "ref", "transaction", "txn",
    "trace", "version", "build", "commit", "hash", "timestamp", "isbn", "ean", "upc", "barcode", "model", "part",
    "case", "request", "订单", "單號", "单号", "运单", "流水", "编号", "序列", "条码", "发票", "批次", "工单", "版本",
    "时间戳", "型号", "快递",
)  # fmt: skip
"""Words that say that a number is no person's."""
