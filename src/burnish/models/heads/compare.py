"""Two texts read together and each for itself, both compared: best for pairs on bases tuned for sentence similarity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class CompareHead(Head):
    """A cross-encoder that begins at the cosine of the two texts; knows no order, takes twice the time of `cls`."""

    gives = "pairs"

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout between the compared states and the linear layer."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.comparing import attach_comparing

        return attach_comparing(folder, plan, self.dropout)
