"""What every runtime does: load a model's files as the core of a predictor."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from burnish.bundle.core import Core
from burnish.bundle.trunks import Trunks
from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.models.reader import Reader
from burnish.tasks._contract import Task


class Runtime(Part, ABC):
    """Pre and post are the same for all; a runtime replaces only what stands between them."""

    @abstractmethod
    def load(self, folder: Path, task: Task, reader: Reader, labels: tuple[str, ...]) -> Core:
        """The core of the model in `folder`, which was verified before.

        Raises:
            UserError: its files cannot be used, or the library that reads them is missing.
        """

    def shared(self, core: Core, trunks: Trunks) -> Core:
        """A core that this runtime loaded, on the trunk that is loaded already where one is equal to its own. Most
        runtimes compile trunk and head into one, so nothing of it can be shared.
        """
        return core


def unwritten(task: Task) -> Iterator[str]:
    """The stream of a runtime that writes no text.

    Raises:
        UserError: always.
    """
    raise UserError(f"the task '{task.part_name}' writes no text here: nothing can be streamed; ask for the answer.")
