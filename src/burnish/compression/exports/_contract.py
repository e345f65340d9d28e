"""What every export does: write a model for other tools, with its tokenizer, its labels and a script that runs it."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Protocol

from burnish.compression.subject import Subject
from burnish.core.parts import Part
from burnish.models.reader import Reader
from burnish.tasks._contract import Decision, Feature, Run, Task


class Answering(Protocol):
    """What scripts are told of a model, whatever computes it: of a subject, or of a bundle that was shrunk."""

    @property
    def task(self) -> Task: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    @property
    def reader(self) -> Reader: ...
    @property
    def folder(self) -> Path: ...
    @property
    def decision(self) -> Decision: ...


class Export(Part, ABC):
    """One format."""

    carries: ClassVar[str | None] = None
    """The runtime whose artefacts are of this format, so that those of a shrunk bundle are handed out as they are."""
    files: ClassVar[tuple[str, ...]] = ()
    """What such an artefact is made of."""

    @abstractmethod
    def refusal(self, subject: Subject) -> str | None:
        """Why this model cannot be written so, as a sentence that goes on after `<export>: `; None where it can."""

    @abstractmethod
    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        """Every file of the export into `folder`, which exists and is empty. `examples`: two or more.

        Raises:
            UserError: it cannot be done, or a library that it needs is missing.
        """

    def hand_out(self, shrunk: Answering, inputs: list[str], folder: Path) -> None:
        """The `files` of a shrunk bundle's model, which reads `inputs`, with what lies beside them."""
        from burnish.compression.exports._beside import write_beside

        for name in self.files:
            shutil.copyfile(shrunk.folder / name, folder / name)
        write_beside(shrunk, inputs, folder, str(self.carries), self.part_name)

    def runs(self, subject: Answering, folder: Path) -> Run | None:
        """What was written, loaded to be held against the model that was judged; None where nothing here runs it."""
        return None
