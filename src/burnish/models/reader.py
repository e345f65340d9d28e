"""What every reader does: make numbers of an example for a base."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol


class Reader(Protocol):
    """What makes numbers of an example for a base: a text's tokenizer, or what reads pictures or recordings."""

    @property
    def pad_id(self) -> int: ...

    @property
    def max_length(self) -> int:
        """Most tokens, or other units, of one feature."""

    @property
    def prompt(self) -> str:
        """Put before every text."""

    def save(self, folder: Path, source: Path) -> None:
        """Into a model's folder, in the layout that other tools read; `source` is the folder of the base."""
