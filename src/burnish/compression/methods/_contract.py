"""What every method does: say whether it suits a model, and make a smaller or faster one of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar, Literal

from burnish.compression.subject import Material, Subject
from burnish.core.parts import Part


class Method(Part, ABC):
    """One way. Those that make a `network` change weights or shapes and may follow each other; what makes an `artefact`
    writes files for a runtime and comes last.
    """

    makes: ClassVar[Literal["network", "artefact"]]

    @abstractmethod
    def refusal(self, subject: Subject) -> str | None:
        """Why it cannot be done to this model, as a sentence that goes on after `<method>: `; None where it can."""

    @abstractmethod
    def apply(self, subject: Subject, material: Material) -> Subject:
        """The smaller model. The network of `subject` is left as it is.

        Raises:
            UserError: it cannot be done, or a library that it needs is missing.
        """
