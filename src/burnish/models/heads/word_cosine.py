"""A vector for each label, compared by cosine with every word read by itself: finds names from the labels' words."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan, Seen

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class WordCosineHead(Head):
    """`AutoModel` and a pool on each word alone, compared with a label's words (Ma et al. 2022, arXiv 2203.08985).

    A base for sentences puts `Oslo`, read alone, near `name of a city`; in its sentence it would lie near the whole of
    it. It knows nothing of the words around: with rows to learn from, `token_cosine` is better.
    """

    gives = "words"
    is_started = True

    pool: Literal["mean", "cls", "max"] = "mean"
    """How a word's token states become one vector: what the base was made with, for most the mean."""

    scale: float = Field(default=20.0, gt=0)
    """What cosines are multiplied with to be logits: higher is surer."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import with_readout

        return with_readout(folder, plan, self)

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models import cosines, pooling

        to_vectors = cosines.spread(pooling.POOLS[self.pool])
        return cosines.CosineReadout(to_vectors, config.hidden_size, len(plan.labels), self.scale)

    def start(self, network: Network, seen: Iterable[Seen]) -> None:
        from burnish.models import cosines

        cosines.start_labels(network, seen)
