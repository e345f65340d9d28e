"""A vector for each tag, compared by cosine with every token where it stands: learns names from a few rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan, Seen

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class TokenCosineHead(Head):
    """`AutoModel` and tag vectors (prototypes of tags: Fritzler et al. 2019, arXiv 1812.06158; here by cosine).

    They start at the mean of the states that the base itself gives the tokens of each tag in the rows, and the usual
    training goes on from there, where a new linear layer starts from nothing.
    """

    gives = "tokens"
    is_started = True

    scale: float = Field(default=10.0, gt=0)
    """What cosines are multiplied with to be logits: higher is surer; at 20 few rows taught less (measured)."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import with_readout

        return with_readout(folder, plan, self)

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models import cosines

        to_vectors = cosines.token_states
        return cosines.CosineReadout(to_vectors, config.hidden_size, len(plan.labels), self.scale)

    def start(self, network: Network, seen: Iterable[Seen]) -> None:
        from burnish.models import cosines

        cosines.start_labels(network, seen)
