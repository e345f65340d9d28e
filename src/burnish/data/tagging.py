"""Tags of words and the spans they spell: IOB1, IOB2, BIOES (also BILOU) and BMES become IOB2.

All of them name a span's place with one letter before a hyphen: B begins, I and M go on, E and L end, S and U
stand alone, O is outside. Broken sequences are read as conlleval does (Tjong Kim Sang & De Meulder 2003).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PREFIXES = {"iob1": "BI", "iob2": "BI", "bioes": "BIESLU", "bmes": "BMES"}
"""The letters that may stand before a hyphen in each scheme."""

OUTSIDE = "O"
_BEGINS, _ENDS = frozenset("BSU"), frozenset("ESLU")

SpanOfWords = tuple[int, int, str]
"""(first word, word after the last, label)"""


@dataclass(frozen=True, slots=True)
class FoundScheme:
    """What a pass over all tags found: the scheme, and how many spans begin without the letter for a beginning.

    Such spans are normal in IOB1; in any other scheme each is a mistake that `to_iob2` repairs.
    """

    name: str
    n_without_begin: int


def split_tag(tag: str) -> tuple[str, str]:
    """`("B", "PER")` for `B-PER`; `("O", "")` for what lies outside. Raises `ValueError` for anything else."""
    if tag == OUTSIDE:
        return OUTSIDE, ""
    prefix, hyphen, label = tag.partition("-")
    if len(prefix) != 1 or not hyphen or not label:
        raise ValueError(f"the tag '{tag}' is neither O nor a letter, a hyphen and a label, such as B-PER")
    return prefix, label


def to_iob2(tags: Sequence[str], scheme: str) -> list[str]:
    """The same spans in IOB2. `plain` tags are returned as they are.

    Raises:
        ValueError: a tag that the scheme does not have.
    """
    if scheme == "plain":
        return list(tags)
    converted = []
    before = (OUTSIDE, "")
    for tag in tags:
        prefix, label = split_tag(tag)
        if label and prefix not in PREFIXES[scheme]:
            raise ValueError(f"the scheme {scheme} has no tag '{tag}'; it has O and {_listed(scheme)}")
        converted.append(f"{'B' if _starts(before, prefix, label) else 'I'}-{label}" if label else OUTSIDE)
        before = prefix, label
    return converted


def spans_of(tags: Sequence[str]) -> list[SpanOfWords]:
    """The spans that IOB2 tags spell, in order. An I that follows no span of its label begins one."""
    spans: list[SpanOfWords] = []
    for position, tag in enumerate(to_iob2(tags, "iob2")):
        prefix, label = split_tag(tag)
        if prefix == "B":
            spans.append((position, position + 1, label))
        elif prefix == "I":
            spans[-1] = (spans[-1][0], position + 1, label)
    return spans


def iob2_of(spans: Iterable[SpanOfWords], n_words: int) -> list[str]:
    """IOB2 tags of `n_words` words.

    Raises:
        ValueError: a span that is empty, leaves the sentence or overlaps another.
    """
    tags = [OUTSIDE] * n_words
    for start, end, label in spans:
        if not 0 <= start < end <= n_words:
            raise ValueError(f"the span [{start}, {end}) '{label}' does not lie within {n_words} words")
        if any(tag != OUTSIDE for tag in tags[start:end]):
            raise ValueError(f"the span [{start}, {end}) '{label}' overlaps another")
        tags[start:end] = [f"B-{label}"] + [f"I-{label}"] * (end - start - 1)
    return tags


def find_scheme(sentences: Iterable[Sequence[str]]) -> FoundScheme:
    """The scheme of a whole file's tags, in one pass that keeps nothing but counts.

    Tags that are not all O or LETTER-label are `plain` (parts of speech, say). M tells BMES; E, S, L or U tell BIOES.
    With only B and I: in IOB2 every span begins with B; in IOB1 nearly none does, for there B only parts a span
    from an equal neighbour.
    """
    letters: set[str] = set()
    census = _Census()
    for tags in sentences:
        try:
            pairs = [split_tag(tag) for tag in tags]
        except ValueError:
            return FoundScheme("plain", 0)
        letters.update(prefix for prefix, label in pairs if label)
        census.count(pairs)
    if not letters <= set("BIEMSLU"):
        return FoundScheme("plain", 0)
    return FoundScheme(_named(letters, census), census.n_without_begin)


def _named(letters: set[str], census: _Census) -> str:
    if "M" in letters:
        return "bmes" if letters <= set(PREFIXES["bmes"]) else "plain"
    if letters & _ENDS:
        return "bioes"
    return "iob1" if census.n_without_begin > census.n_free_begins else "iob2"


class _Census:
    """Counts how spans begin: without a B (or S, U), and with a B although nothing would merge without it."""

    def __init__(self) -> None:
        self.n_without_begin = 0
        self.n_free_begins = 0

    def count(self, pairs: Iterable[tuple[str, str]]) -> None:
        before = (OUTSIDE, "")
        for prefix, label in pairs:
            if label and _starts(before, prefix, label):
                self.n_without_begin += prefix not in _BEGINS
                self.n_free_begins += prefix == "B" and before[1] != label
            before = prefix, label


def _starts(before: tuple[str, str], prefix: str, label: str) -> bool:
    """Whether a tag begins a span, given the tag before it; this one rule holds for every scheme."""
    return prefix in _BEGINS or before[1] != label or before[0] in _ENDS


def _listed(scheme: str) -> str:
    return ", ".join(f"{letter}-…" for letter in PREFIXES[scheme])
