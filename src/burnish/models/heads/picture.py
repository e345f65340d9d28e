"""The architecture's own head for labels of pictures: any transformers tool reads the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class PictureHead(Head):
    """`AutoModelForImageClassification`: pooled state, linear; the labels that the base knew before are left behind."""

    gives = "pictures"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.inspection import read_config
        from burnish.models.network import Network, load_pretrained
        from burnish.models.towers import PictureReadout, width_of
        from burnish.models.trunks import load_trunk, refuse_other

        if read_config(folder)["model_type"] == "timm_wrapper":  # its own head lies within its body
            trunk = load_trunk(folder, "pixel_values", {})
            return Network(trunk, PictureReadout(width_of(trunk), len(plan.labels)))
        refuse_other(folder, "pixel_values")
        settings = plan.config_settings()
        return Network(load_pretrained("AutoModelForImageClassification", folder, settings))
