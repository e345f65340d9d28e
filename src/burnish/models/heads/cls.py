"""The architecture's own classification head, on its first token: any transformers tool reads the result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from torch import nn

    from burnish.models.network import Network


class ClsHead(Head):
    """`AutoModelForSequenceClassification`: for BERT pooler, dropout, linear (Devlin et al. 2019, §4.1)."""

    gives = "rows"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import Network, load_pretrained

        return Network(load_pretrained("AutoModelForSequenceClassification", folder, plan.config_settings()))

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        from burnish.models.sharing import OwnHead

        return OwnHead("AutoModelForSequenceClassification", config, plan)
