"""Where sentences end, in English and in Chinese: by marks and what follows them, without a model."""

from __future__ import annotations

import re
from collections.abc import Iterator

_CLOSING = "”’」』）》\"')\\]"
_CHINESE = f"[。！？；…]+[{_CLOSING}]*"
# A Latin mark ends a sentence where white space follows, and then something that may begin one.
_LATIN = f"[.!?]+[{_CLOSING}]*(?=\\s+[\"'“‘(\\[]*[^\\W_a-z])"
_END = re.compile(f"(?:{_CHINESE}|{_LATIN}|\\n)\\s*")
_SHORTENED = re.compile(
    r"(?:^|[\s(\"'“‘])(?:[A-Za-z]|(?:[A-Za-z]\.)+[A-Za-z]|Mr|Mrs|Ms|Dr|Prof|St|Sen|Gov|Gen|Rep|No|vs|Jr|Sr|Inc|Ltd|Co"
    r"|Corp|Fig|al|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)$"
)


def sentence_ends(text: str) -> list[int]:
    """Where each sentence of a text ends, white space after it included; the last is the text's own end.

    A line end ends a sentence too. `Dr.`, `U.S.`, single letters and the like do not.
    """
    ends = [found.end() for found in _END.finditer(text) if not _is_shortened(text, found)]
    return ends if ends and ends[-1] == len(text) else [*ends, len(text)]


def _is_shortened(text: str, found: re.Match[str]) -> bool:
    return found[0].startswith(".") and bool(_SHORTENED.search(text, max(0, found.start() - 12), found.start()))


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, without white space around them; empty ones are left out."""
    start = 0
    for end in sentence_ends(text):
        if sentence := text[start:end].strip():
            yield sentence
        start = end
