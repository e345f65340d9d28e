"""What every watch does: look at one thing in a window, beside the reference or the past, and say what it finds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from burnish.core.parts import Part
from burnish.monitoring.reference import Reference
from burnish.monitoring.window import Window

SURE = 0.05  # the p-value up to which one watch alone calls its window changed; `looking` corrects for several


@dataclass(frozen=True)
class Finding:
    """What a watch found in a window."""

    value: float
    """What it measured: a share, a distance, a ratio, as its docstring says."""
    threshold: float
    """The value from which the change is large enough to matter."""
    p_value: float | None
    """The chance of such a value where nothing has changed; None where nothing was tested."""
    is_raised: bool
    """Whether the change is both large enough to matter and unlikely to be chance."""
    sentence: str
    """What was found, for a person, with its numbers."""
    numbers: Mapping[str, Any]
    """The same for a program, as JSON allows it."""


class Watch(Part, ABC):
    """One thing to look at."""

    has_own_rate: ClassVar[bool] = False
    """Whether its settings state how often it is raised by chance, so that it is not corrected with the others."""

    @abstractmethod
    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        """What there is to say of `window`; None where there is too little data to say anything.

        `history` are earlier windows of the same length, oldest first, none of which overlap.
        """
