"""What several towers read of one example, such as a picture and a question about it, led together to one label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class FusionHead(Head):
    """A vector of each tower, all led to one width; they and their product (Kim et al. 2017, arXiv 1610.04325)."""

    gives = "fused"

    width: int = Field(default=256, ge=1)
    """Width to which every tower's vector is led."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout between the led vectors and the linear layer."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.towers import FusionReadout, attach_towers

        return attach_towers(
            folder, plan, lambda widths: FusionReadout(widths, self.width, len(plan.labels), self.dropout)
        )
