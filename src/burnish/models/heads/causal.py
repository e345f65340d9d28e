"""The next token, from all before it: the head that a decoder was pretrained with; any transformers tool reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class CausalHead(Head):
    """`AutoModelForCausalLM`: the embeddings turned round, or a matrix of their size; nothing new needs training."""

    gives = "next_words"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.lm import attach_writer

        return attach_writer("AutoModelForCausalLM", folder, plan)
