"""A part: one interchangeable piece of Burnish, in a file of its own, found on a shelf by that file's name.

A part is a frozen pydantic model. Its fields are its settings; the docstring under a field feeds the
command-line help and the docs. One to four methods do the work; what they must be is the shelf's contract.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of every part. Subclasses live one to a file below a shelf's package."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True, arbitrary_types_allowed=True)

    @property
    def part_name(self) -> str:
        """The name on the shelf: the file's name."""
        return type(self).__module__.rsplit(".", 1)[-1]

    def as_recipe(self) -> dict[str, Any]:
        """The part as a recipe writes it: its name and every setting."""
        return {"name": self.part_name, **self.model_dump(mode="json")}
