"""What a verb tells whoever called it while it works. Verbs never print; the mouths (CLI, console) do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Message:
    """One line for a person. `level` is `info`, `warning` or `good`."""

    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage is. `total` is None when unknown; `numbers` are shown beside the bar."""

    stage: str
    done: int
    total: int | None
    unit: str
    numbers: dict[str, str] = field(default_factory=dict)


Event = Message | Progress
Listener = Callable[[Event], None]


def ignore(event: Event) -> None:
    """The listener of a caller that does not want to know."""
