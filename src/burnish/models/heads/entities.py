"""The states at the start marks of two entities, side by side, dropout, linear: for the relation between them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class EntitiesHead(Head):
    """Entity start (Baldini Soares et al. 2019, arXiv 1906.03158, §3.2) on `AutoModel`; the readout lies beside it."""

    gives = "entities"

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout between the states and the linear layer."""

    with_text: bool = False
    """Whether the mean of all tokens' states stands beside the two."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import with_readout

        return with_readout(folder, plan, self)

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models.entities import EntitiesReadout

        return EntitiesReadout(config.hidden_size, len(plan.labels), self.dropout, self.with_text)
