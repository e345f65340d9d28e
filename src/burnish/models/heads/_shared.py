"""Several heads beside each other on one trunk."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class SharedTrunk(Head):
    """`AutoModel` with one readout for each name. No recipe names it: a task of several tasks brings it along."""

    gives = "several"

    heads: dict[str, Annotated[Part, Shelf("heads")]]
    """Name → head."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import Network, load_pretrained
        from burnish.models.sharing import SharedReadout

        trunk = load_pretrained("AutoModel", folder, dict(plan.config_changes))
        heads = {name: self.heads[name].readout(trunk.config, own) for name, own in plan.members}  # type: ignore[attr-defined]
        return Network(trunk, SharedReadout(heads))
