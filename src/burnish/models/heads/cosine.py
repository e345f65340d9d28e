"""A vector for each label, compared by cosine: works from the labels' words alone, and learns from a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan, Seen

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class CosineHead(Head):
    """`AutoModel`, a pool, label vectors (prototypes by cosine: Gidaris and Komodakis 2018, arXiv 1804.09458).

    The vectors start where the base itself puts the labels' words and rows (Snell et al. 2017, arXiv 1703.05175).
    """

    gives = "cosines"
    is_started = True

    pool: Literal["mean", "cls", "max"] = "mean"
    """How a text's token states become one vector: what the base was made with, for most the mean."""

    scale: float = Field(default=20.0, gt=0)
    """What cosines are multiplied with to be logits: higher is surer."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import with_readout

        return with_readout(folder, plan, self)

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models.cosines import CosineReadout
        from burnish.models.pooling import POOLS

        return CosineReadout(POOLS[self.pool], config.hidden_size, len(plan.labels), self.scale)

    def start(self, network: Network, seen: Iterable[Seen]) -> None:
        from burnish.models import cosines

        cosines.start_labels(network, seen)
