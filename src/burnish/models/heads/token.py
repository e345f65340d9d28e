"""The architecture's own token head: a label for every token; any transformers tool reads the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class TokenHead(Head):
    """`AutoModelForTokenClassification`: dropout and linear on each last hidden state (Devlin et al. 2019, §5.3)."""

    gives = "tokens"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import Network, load_pretrained

        settings = plan.config_settings()
        del settings["problem_type"]
        return Network(load_pretrained("AutoModelForTokenClassification", folder, settings))

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models.sharing import OwnHead

        return OwnHead("AutoModelForTokenClassification", config, plan)
