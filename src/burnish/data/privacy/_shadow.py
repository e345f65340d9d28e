"""The shadow of a text: what a reader sees in it, in few characters, with a way back to the text's own offsets.

What cannot be seen is left out: zero-width, bidi and tag characters, variation selectors, controls (what Unicode says
to ignore by default, UAX 44), combining marks. What looks like an ASCII letter, digit or sign is that one: full-width,
mathematical and circled characters, other scripts' digits, a few Cyrillic and Greek letters. What is put between the
digits of one number becomes one separator.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_UNSEEN = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u0300-\u036f\u0483-\u0489\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\u3164\ufe00-\ufe0f\ufe20-\ufe2f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_ZEROS = (  # the zero of every script whose digits Unicode counts as decimal; nine digits follow each
    0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6, 0xE50, 0xED0, 0xF20,
    0x1040, 0x1090, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1A80, 0x1A90, 0x1B50, 0x1BB0, 0x1C40, 0x1C50, 0xA620, 0xA8D0,
    0xA900, 0xA9D0, 0xA9F0, 0xAA50, 0xABF0, 0xFF10, 0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0,
    0x11450, 0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x11F50, 0x16A60, 0x16AC0,
    0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E4F0, 0x1E950, 0x1FBF0,
)  # fmt: skip
_COMPATIBLE = (  # blocks in which NFKC turns characters into ASCII
    (0xA0, 0x100), (0x2000, 0x2100), (0x2100, 0x2150), (0x2460, 0x2500), (0x3000, 0x3001), (0xFE50, 0xFE70),
    (0xFF01, 0xFF5F), (0x1D400, 0x1D7CE), (0x1F130, 0x1F14A),
)  # fmt: skip
_ALIKE = {
    **dict.fromkeys("‐‑‒–—―−⁃﹘˗", "-"),
    **dict.fromkeys("\u1680\x0b\x0c", " "),
    **dict.fromkeys("\x85\u2028\u2029", "\n"),
    **dict.fromkeys("•‧∙⋅・･", "·"),
    **dict(zip("【】〔〕「」『』❨❩⦅⦆", "[][][][]()()", strict=True)),
    **dict(zip("АВЕКМНОРСТХаеорсухіѕ", "ABEKMHOPCTXaeopcyxis", strict=True)),
    **dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧο", "ABEZHIKMNOPTYXo", strict=True)),
    **dict(zip("❶❷❸❹❺❻❼❽❾⓿➀➁➂➃➄➅➆➇➈➊➋➌➍➎➏➐➑➒", "1234567890" + "123456789" * 2, strict=True)),
    "İ": "I",  # its lower case is two characters
    "｡": "。",
}


def _fold_table() -> dict[str, str]:
    table = {chr(zero + digit): str(digit) for zero in _ZEROS for digit in range(10)}
    for first, end in _COMPATIBLE:
        for character in map(chr, range(first, end)):
            plain = unicodedata.normalize("NFKC", character)
            if len(plain) == 1 and plain.isascii() and plain != character:
                table[character] = plain
    del table["，"]  # in ASCII it could stand inside an amount
    return table | _ALIKE


FOLDS = _fold_table()
"""Character → what it looks like. One for one, so offsets stay."""

_INVISIBLE = re.compile(rf"[{_UNSEEN}\r](?:(?<!\r)[{_UNSEEN}]*|(?=[{_UNSEEN}]*\n))")  # a line break is one character
_ASTRAL = "\U00010000-\U0001fbff"  # one range is looked through much faster than the many in it that are folded


def _near_members(characters: Iterable[str]) -> str:
    return "".join(re.escape(one) for one in characters if one <= "\uffff") + _ASTRAL


_FOLDED = re.compile(f"[{_near_members(FOLDS)}]")
_SUSPECTS = _near_members(one for one, plain in FOLDS.items() if plain.isalnum() or plain == "@")
DOUBTFUL = re.compile(rf"[0-9@{_SUSPECTS}{_UNSEEN}]")
"""A digit, a letter or @ in disguise, or what tears words apart. Without it a text has the words of its shadow."""

_PUT_BETWEEN = r" \t\r\n()\[\]{}\-_~·"
_GAP = re.compile(rf"[{_PUT_BETWEEN}](?<=[0-9].)(?:[{_PUT_BETWEEN}]{{1,3}}|(?<![ \n-]))(?=[0-9])", re.DOTALL)
_SINGLES = re.compile(  # 1 3 8 0 0 1 3 8 0 0 0: seven or more, alone between separators
    r"[0-9](?<![0-9A-Za-z].)(?<![0-9][ .\-].)"
    r"(?:[ \n.\-](?:[0-9Xx]|[A-Z](?=[ \n.\-][0-9A-Z](?![0-9A-Za-z])))(?![0-9A-Za-z])){6,24}+(?![ .\-][0-9])"
)
_DOTTED = re.compile(  # 138.0013.8000: three groups or more, one of four digits or more, so neither address nor decimal
    r"[0-9](?<![0-9A-Za-z_.].)[0-9]{2,18}+(?=[0-9.]{0,40}[0-9]{4})(?:\.[0-9]{2,18}+){2,8}+(?!\.?[0-9])"
)
_LIST = re.compile(r"[0-9]{1,3}+(?:[ \n.\-][0-9]{1,3}+){25,}+")  # so many small numbers are not one large one
_SEPARATOR = re.compile(r"[ \n.\-]")


class Edit(NamedTuple):
    """A piece of a text, and what stands there now."""

    start: int
    end: int
    now: str


class Shifts(NamedTuple):
    """How far characters were moved: those from `places[i]` on by `lengths[i]`. Both rise."""

    places: list[int]
    lengths: list[int]

    def before(self, place: int) -> int:
        """Where a character of the edited text stood before the edits."""
        at = bisect_right(self.places, place)
        return place + (self.lengths[at - 1] if at else 0)


class Shadow(NamedTuple):
    """`text` is the shadow; `shifts` lead back to the text that it was made from, the last edits first."""

    text: str
    shifts: tuple[Shifts, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Characters of the original text, from the first to the last of a place in the shadow that is not empty."""
        first, last = start, end - 1
        for shift in self.shifts:
            first, last = shift.before(first), shift.before(last)
        return first, last + 1


def shadow_of(text: str) -> Shadow:
    """The shadow of a text. Takes linear time."""
    text, unseen = _edited(text, (Edit(*one.span(), "") for one in _INVISIBLE.finditer(text)))
    if not text.isascii():
        text = _FOLDED.sub(lambda one: FOLDS.get(one[0], one[0]), text)
    text = _DOTTED.sub(lambda one: one[0].replace(".", "-"), text)
    text, gaps = _edited(text, (Edit(*one.span(), _separator(text, one)) for one in _GAP.finditer(text)))
    text = _LIST.sub(lambda one: _SEPARATOR.sub(";", one[0]), text)
    text, singles = _edited(text, _joints(text))
    return Shadow(text, tuple(one for one in (singles, gaps, unseen) if one.places))


def _separator(text: str, found: re.Match[str]) -> str:
    """The one character that stands for all that is put between two digits."""
    gap = found[0]
    if "\n" in gap or "\r" in gap:
        return "\n"
    is_end = (")" in gap or "]" in gap) and text[max(0, found.start() - 7) : found.start()].isdigit()
    is_start = gap[0] == " " and ("(" in gap or "[" in gap)
    # (415) 555-2671 and 138(0013)8000 are one number; (62345678) 020-1234 and 532-563 (2007) are two
    return " " if is_end or is_start or not gap.strip() else "-"


def _joints(text: str) -> Iterator[Edit]:
    """The separators between digits that stand alone."""
    for run in _SINGLES.finditer(text):
        for one in _SEPARATOR.finditer(text, *run.span()):
            yield Edit(*one.span(), "")


def _edited(text: str, edits: Iterable[Edit]) -> tuple[str, Shifts]:
    """The text after edits that stand in order and do not overlap; none makes it longer."""
    pieces, shifts, done, n_lost = list[str](), Shifts([], []), 0, 0
    for start, end, now in edits:
        pieces += text[done:start], now
        n_lost += end - start - len(now)
        shifts.places.append(end - n_lost)
        shifts.lengths.append(n_lost)
        done = end
    return ("".join((*pieces, text[done:])), shifts) if pieces else (text, shifts)
