"""The architecture's own head for answers: start and end logits for each token; any transformers tool reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class SpanHead(Head):
    """`AutoModelForQuestionAnswering`: a linear layer on each last hidden state (Devlin et al. 2019, §4.2)."""

    gives = "spans"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import Network, load_pretrained

        settings = plan.config_settings()
        del settings["problem_type"]
        return Network(load_pretrained("AutoModelForQuestionAnswering", folder, settings))
