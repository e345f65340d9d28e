"""What every detector does: say where personal data of one kind stands in a text.

A detector reads a shadow of the text (`_shadow`): look-alike digits and letters are ASCII, what cannot be seen is gone,
and between two digits any spaces, dashes and brackets are one character of ` `, `-` or a line break.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from burnish.core.parts import Part


def digits(n: int) -> str:
    """The sign that stands for n digits together, with at most a separator between two."""
    return "0" * n


class Found(NamedTuple):
    """One place, characters counted from 0, end exclusive. `kind` is the name of the part that found it."""

    start: int
    end: int
    kind: str


class Detector(Part, ABC):
    """One kind of personal data. Its work is linear in the length of the text, whatever the text is."""

    signs: ClassVar[tuple[str, ...]]
    """Pieces in lower case, one of which stands in every shadow where it finds something; without any of them it is not
    asked. `digits(n)` stands for any digits. An empty tuple means that it is always asked."""
    examples: ClassVar[dict[str, str]]
    """Texts, each with the piece of it that must be found, and nothing else."""
    harmless: ClassVar[tuple[str, ...]]
    """Texts that look alike, in which it must find nothing."""

    @abstractmethod
    def find(self, shadow: str) -> Iterator[Found]:
        """Every place of the shadow, in any order; places may overlap."""

    def at(self, start: int, end: int) -> Found:
        """A place of this detector's kind."""
        return Found(start, end, self.part_name)
