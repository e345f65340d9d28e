"""A decoder that writes down what an encoder of sound heard: Whisper; any transformers tool reads it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class TranscriptHead(Head):
    """`AutoModelForSpeechSeq2Seq` (Radford et al. 2022, arXiv 2212.04356); nothing new needs training."""

    gives = "transcripts"

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models.transcribing import attach_transcriber

        return attach_transcriber(folder, plan)
