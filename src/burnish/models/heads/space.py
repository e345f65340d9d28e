"""One space for what several towers read: a picture's vector can be compared with a text's, and searched by it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class SpaceHead(Head):
    """A dual encoder with a learned scale of cosines (Radford et al. 2021, arXiv 2103.00020, §2.3)."""

    gives = "space"

    width: int = Field(default=256, ge=1)
    """Dimensions of the space."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout of each tower's vector before it is led into the space."""

    scale: float = Field(default=14.3, gt=0, le=100)
    """What cosines are multiplied with at first, 1 / 0.07; it is learned from there, to 100 at most."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.towers import SpaceReadout, attach_towers

        return attach_towers(folder, plan, lambda widths: SpaceReadout(widths, self.width, self.dropout, self.scale))
