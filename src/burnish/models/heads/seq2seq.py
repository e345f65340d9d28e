"""A decoder that reads a whole text through an encoder: T5, BART, Marian; any transformers tool reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class Seq2SeqHead(Head):
    """`AutoModelForSeq2SeqLM` (Sutskever et al. 2014; Vaswani et al. 2017); nothing new needs training."""

    gives = "other_words"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.lm import attach_writer

        return attach_writer("AutoModelForSeq2SeqLM", folder, plan)
