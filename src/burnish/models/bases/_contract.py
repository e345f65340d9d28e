"""What every named base does: say which folder holds it, in the plain Hugging Face layout."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from burnish.core.parts import Part


class Base(Part, ABC):
    """A pretrained model with a short name."""

    pooling: ClassVar[str] = "cls"
    """The head on the shelf `heads` that pools a text as this base was tuned to."""

    @abstractmethod
    def folder(self) -> Path:
        """The folder with config.json, model.safetensors and tokenizer.json.

        Raises:
            UserError: the package or file that holds it is not installed; says the pip line.
        """
