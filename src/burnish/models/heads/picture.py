"""The architecture's own head for labels of pictures: any transformers tool reads the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.errors import UserError
from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class PictureHead(Head):
    """`AutoModelForImageClassification`: pooled state, linear; the labels that the base knew before are left behind."""

    gives = "pictures"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.inspection import read_config
        from burnish.models.network import Network, load_pretrained
        from burnish.models.trunks import refuse_other

        if read_config(folder)["model_type"] == "timm_wrapper":
            raise UserError(
                f"base: {folder} is a model of timm, whose head is no part of its own; it reads pictures beside texts "
                "(text_base, image_text). For labels of pictures alone name another base."
            )
        refuse_other(folder, "pixel_values")
        settings = plan.config_settings()
        return Network(load_pretrained("AutoModelForImageClassification", folder, settings))
