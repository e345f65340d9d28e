"""Vectors of users, by what they liked, and of a catalogue's items: how well each item fits each user."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class PreferenceHead(Head):
    """Two towers on texts that `AutoModel` reads once; the base itself stays as it is. The readout lies beside it."""

    gives = "preferences"

    width: int = Field(default=64, ge=2)
    """Numbers in the vector of a user and of an item; an even number."""

    users: Literal["attention", "transformer", "mean"] = "attention"
    """How the items of a history become one vector: `attention` weighs each by itself and its age (NRMS),
    `transformer` reads them as a sequence and takes what follows the newest (SASRec), `mean` takes all alike."""

    history: int = Field(default=50, ge=1)
    """How many items of a history, the newest, are read."""

    dropout: float = Field(default=0.2, ge=0, lt=1)
    """Dropout of items' vectors."""

    id_dropout: float = Field(default=0.3, ge=0, le=1)
    """How often training hides that it knows an item, so that text and features can stand alone where an item is new;
    1 never learns a vector of an item's own."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import Network, load_pretrained
        from burnish.models.preference import Design, PreferenceReadout, Shape

        trunk = load_pretrained("AutoModel", folder, dict(plan.config_changes))
        trunk.requires_grad_(False)
        design = Design(self.width, self.users, self.history, self.dropout, self.id_dropout)
        return Network(trunk, PreferenceReadout(trunk.config.hidden_size, Shape(**dict(plan.sizes)), design))
