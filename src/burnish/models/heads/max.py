"""Largest value of the tokens' last hidden states, dropout, linear: suits texts decided by a few words."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class MaxHead(Head):
    """`AutoModel` with a readout of ours; the base stays readable by AutoModel, the readout lies beside it."""

    gives = "rows"

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout between the pooled vector and the linear layer."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import with_readout

        return with_readout(folder, plan, self)

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models.pooling import PooledReadout, max_pool

        return PooledReadout(max_pool, config.hidden_size, len(plan.labels), self.dropout)
