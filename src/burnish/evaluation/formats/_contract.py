"""What every format does: write a report into a folder as one file."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path

from burnish.core.parts import Part
from burnish.evaluation.findings import Report


class Format(Part, ABC):
    """A form of the report."""

    @abstractmethod
    def write(self, report: Report, folder: Path) -> Path:
        """Write the report as one file below `folder`, atomically, and return its path.

        Raises:
            UserError: the file cannot be written (disk full, permission).
        """
