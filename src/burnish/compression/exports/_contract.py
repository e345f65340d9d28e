"""What every export does: write a model for other tools, with its tokenizer, its labels and a script that runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from burnish.compression.subject import Subject
from burnish.core.parts import Part
from burnish.tasks._contract import Feature, Run


class Export(Part, ABC):
    """One format."""

    @abstractmethod
    def refusal(self, subject: Subject) -> str | None:
        """Why this model cannot be written so, as a sentence that goes on after `<export>: `; None where it can."""

    @abstractmethod
    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        """Every file of the export into `folder`, which exists and is empty. `examples`: two or more.

        Raises:
            UserError: it cannot be done, or a library that it needs is missing.
        """

    def runs(self, subject: Subject, folder: Path) -> Run | None:
        """What was written, loaded to be held against the model that was judged; None where nothing here runs it."""
        return None
