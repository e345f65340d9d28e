"""A small product of two matrices beside each linear layer is trained, and the base is not (LoRA)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from burnish.models.peft._contract import Peft

if TYPE_CHECKING:
    from burnish.models.network import Network


class Lora(Peft):
    """W becomes W + alpha / rank × B A, with B zero at first (Hu et al. 2021, arXiv 2106.09685, §4.1)."""

    keeps_base = True

    rank: int = Field(default=16, ge=1)
    """Rows of A and columns of B: more can learn more, and cost more. On a base of 135 M weights, 16 add 4 %."""

    alpha: float = Field(default=32.0, gt=0)
    """The product is multiplied by alpha / rank, so that another rank wants no other learning rate."""

    dropout: float = Field(default=0.0, ge=0, lt=1)
    """Dropout of what goes into A."""

    modules: list[str] | None = Field(default=None, min_length=1)
    """Last names of the linear layers that get it, e.g. `[query, value]`; null takes all of every transformer block,
    which matters more than the rank (Dettmers et al. 2023, arXiv 2305.14314, §4)."""

    def put_on(self, network: Network) -> None:
        from burnish.core.shelves import need
        from burnish.models.peft._layers import chosen_layers, put_beside

        config = need("peft", "train").LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            lora_dropout=self.dropout,
            target_modules=chosen_layers(network.body, self.modules, "train.peft.modules"),
        )
        put_beside(network.body, config)

    def fold_in(self, network: Network) -> None:
        from burnish.models.peft._layers import fold_in

        fold_in(network.body)
