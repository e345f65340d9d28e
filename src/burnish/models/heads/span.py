"""The architecture's own head for answers: start and end logits for each token; any transformers tool reads it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


BOUNDS = ("start", "end")


class SpanHead(Head):
    """`AutoModelForQuestionAnswering`: a linear layer on each last hidden state (Devlin et al. 2019, §4.2).

    Its two outputs are the same whatever the plan's labels.
    """

    gives = "spans"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.network import Network, load_pretrained

        settings = replace(plan, labels=BOUNDS).config_settings()
        del settings["problem_type"]
        return Network(load_pretrained("AutoModelForQuestionAnswering", folder, settings))
