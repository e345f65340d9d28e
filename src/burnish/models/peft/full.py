"""Every weight of the base is trained, but for what the recipe freezes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.models.peft._contract import Peft

if TYPE_CHECKING:
    from burnish.models.network import Network


class FullTuning(Peft):
    """Nothing is put on the network, so there is nothing to fold in."""

    keeps_base = False

    def put_on(self, network: Network) -> None:
        return

    def fold_in(self, network: Network) -> None:
        return
