"""One vector of length 1 a text, compared by cosine: a bi-encoder, whose vectors can be kept and searched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class VectorHead(Head):
    """`AutoModel` and a pool (Reimers and Gurevych 2019, arXiv 1908.10084, §3); nothing new needs training."""

    gives = "vectors"

    pool: Literal["mean", "cls", "max"] = "mean"
    """How a text's token states become one vector: what the base was made with, for most the mean."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import with_readout

        return with_readout(folder, plan, self)

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models.pooling import POOLS, VectorReadout

        return VectorReadout(POOLS[self.pool])
