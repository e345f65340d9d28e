"""The word behind each masked token, from both sides: the architecture's own head; any transformers tool reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class MaskedHead(Head):
    """`AutoModelForMaskedLM`: for BERT a layer, then the token embeddings turned round (Devlin et al. 2019, §3.1).

    A base that was published without it, such as one tuned for similarity, gets a new one that must be learned.
    """

    gives = "hidden_words"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.masked import attach_masked

        return attach_masked(folder, plan)
