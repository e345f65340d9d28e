"""Masking: personal data and secrets in a text give way to what they are, such as `[PHONE]`.

Detectors read the text's shadow, so disguises do not help; what they find is masked in the text itself, whose other
characters stay exactly as they were.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from burnish.core.errors import UserError, hint, listed
from burnish.core.shelves import Shelf
from burnish.data.privacy._contract import Detector, Found
from burnish.data.privacy._shadow import DOUBTFUL, shadow_of

Names = Callable[[str], Iterable[Found]]
"""Finds names of persons in a text, in its own offsets: `flows.names` does by a bundle for `tokens`."""

_WORD_ENDS = re.compile("_|(?<=[a-z])(?=[A-Z])")  # of phone_number and phoneNumber
_LONGEST_NAME = 40  # characters of a field's name that may be a cue
_NUMBERS = range(10**6, 10**30)  # smaller ones are counts and labels, larger ones are no personal data


@dataclass(frozen=True)
class Masked:
    """A text without what was found in it. `found` is in order, without overlaps, in offsets of the text as given."""

    text: str
    found: tuple[Found, ...]

    @property
    def counts(self) -> dict[str, int]:
        """How many places of each kind."""
        return dict(Counter(one.kind for one in self.found))


@dataclass(frozen=True)
class Mask:
    """What is masked. Call it with a text, or give `values` what JSON holds."""

    detectors: tuple[Detector, ...]
    names: Names | None = None

    @classmethod
    def of(cls, kinds: Sequence[str] | None = None, names: Names | None = None) -> Mask:
        """A mask of the kinds that are named, or of every part on the shelf.

        Raises:
            UserError: there is no such kind.
        """
        shelf = Shelf("privacy")
        known = shelf.names()
        for kind in kinds or ():
            if kind not in known:
                raise UserError(
                    f"privacy: there is no kind '{kind}' of personal data.{hint(kind, known)} "
                    f"Name some of: {listed(known)}."
                )
        chosen = known if kinds is None else dict.fromkeys(kinds)
        return cls(tuple(cast("Detector", shelf.build(kind)) for kind in chosen), names)

    def __call__(self, text: str) -> Masked:
        """The text with each place masked. Takes linear time."""
        found = _without_overlaps(self._found(text))
        return Masked(_masked(text, found), found)

    def values(self, value: Any, known: Collection[str] = ()) -> tuple[Any, dict[str, int]]:
        """A JSON value with every text in it masked, names of fields too, and how many places of each kind.

        A field's name counts as said before its value: `{"password": "x1"}` is masked as `password="x1"` is. A number
        that is personal data becomes text. Texts that are `known`, such as labels, stay, as numbers too; names of
        fields are nobody's name. The given value stays as it is.
        """
        counts = Counter[str]()
        whole = [value]
        todo: list[tuple[Any, Any, str]] = [(whole, 0, "")]  # no recursion: JSON may be deeper than Python's stack
        while todo:
            holder, place, said = todo.pop()
            one = holder[place]
            if isinstance(one, dict):
                holder[place] = fields = self._with_masked_names(one, counts)
                todo.extend((fields, name, str(name)) for name in fields)
            elif isinstance(one, list | tuple):
                holder[place] = items = list(one)
                todo.extend((items, at, said) for at in range(len(items)))
            elif _as_text(one) not in known:
                holder[place] = self._masked_value(said, one, counts, has_names=True)
        return whole[0], dict(counts)

    def _with_masked_names(self, fields: dict[Any, Any], counts: Counter[str]) -> dict[Any, Any]:
        """The same fields; those that have one name now are numbered from the second on."""
        renamed, n_named = dict[Any, Any](), Counter[Any]()
        for name, value in fields.items():
            new = self._masked_value("", name, counts, has_names=False) if isinstance(name, str) else name
            free = new
            while free in renamed:
                n_named[new] += 1
                free = f"{new} {n_named[new] + 1}"
            renamed[free] = value
        return renamed

    def _masked_value(self, said: str, value: Any, counts: Counter[str], *, has_names: bool) -> Any:
        """A text or number, masked where it holds something; anything else as it is."""
        text = _as_text(value)
        if text is None:
            return value
        places = [*(self._found(text) if has_names else self._detected(text)), *self._found_behind(said, text)]
        found = _without_overlaps(places)
        counts.update(one.kind for one in found)
        return _masked(text, found) if found else value

    def _found_behind(self, said: str, text: str) -> Iterator[Found]:
        """What is found in a text because of the field's name before it."""
        head = f'{_WORD_ENDS.sub(" ", said[-_LONGEST_NAME:])}="'
        for start, end, kind in self._detected(f'{head}{text}"') if said else ():
            first, last = max(0, start - len(head)), min(end - len(head), len(text))
            if first < last:
                yield Found(first, last, kind)

    def _found(self, text: str) -> Iterator[Found]:
        """Every place, in offsets of the text; places may overlap. A model that is as sure as a form comes second."""
        yield from self._detected(text)
        for start, end, kind in self.names(text) if self.names else ():
            if 0 <= start < end <= len(text):
                yield Found(start, end, kind)

    def _detected(self, text: str) -> Iterator[Found]:
        if not self._may_hold(text):
            return
        shadow = shadow_of(text)
        present = self._present(shadow.text)
        for detector in self.detectors:
            if not (detector.signs and present.isdisjoint(detector.signs)):
                for start, end, kind in detector.find(shadow.text):
                    yield Found(*shadow.span(start, end), kind)

    def _may_hold(self, text: str) -> bool:
        """Whether a text is worth a closer look; says no to most texts in some microseconds."""
        if DOUBTFUL.search(text) or self._is_always_asked:
            return True
        return self._word.search(text.lower()) is not None

    def _present(self, shadow: str) -> set[str]:
        """The signs that stand in a shadow."""
        lowered, start = shadow.lower(), 0
        present = {word for word in self._words if word in lowered} if self._word.search(lowered) else set[str]()
        for sign, digits in self._digits.items():  # longer ones stand nowhere before the first shorter one
            found = digits.search(shadow, start)
            if not found:
                break
            start = found.start()
            present.add(sign)
        return present

    @cached_property
    def _digits(self) -> dict[str, re.Pattern[str]]:
        """The signs that stand for digits, the shortest first, and what they look like."""
        signs = sorted({sign for detector in self.detectors for sign in detector.signs if not sign.strip("0")})
        return {sign: re.compile(rf"[0-9](?:[ \n.-]?[0-9]){{{len(sign) - 1}}}") for sign in signs}

    @cached_property
    def _words(self) -> tuple[str, ...]:
        """The signs that are words."""
        return tuple({sign for detector in self.detectors for sign in detector.signs if sign.strip("0")})

    @cached_property
    def _word(self) -> re.Pattern[str]:
        return re.compile("|".join(map(re.escape, self._words)) or r"(?!)")

    @cached_property
    def _is_always_asked(self) -> bool:
        return not all(detector.signs for detector in self.detectors)


def _as_text(value: Any) -> str | None:
    """A text, or the digits of a number large enough to be a telephone's; None for what holds no text."""
    if isinstance(value, str):
        return value
    is_whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return str(int(value)) if is_whole and int(value) in _NUMBERS else None


def _without_overlaps(found: Iterable[Found]) -> tuple[Found, ...]:
    """Places in order; those that overlap become one, of the kind of the longest (of equals: the first)."""
    merged, longest = list[Found](), 0
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        length = one.end - one.start
        if merged and one.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Found(last.start, max(last.end, one.end), one.kind if length > longest else last.kind)
            longest = max(longest, length)
        else:
            merged.append(one)
            longest = length
    return tuple(merged)


def _masked(text: str, found: Sequence[Found]) -> str:
    pieces, done = list[str](), 0
    for start, end, kind in found:
        pieces += text[done:start], f"[{kind.upper()}]"
        done = end
    return "".join((*pieces, text[done:])) if pieces else text
