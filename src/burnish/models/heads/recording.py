"""Mean or largest value of a recording's frames, norm, dropout, linear: one label for what is heard."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from burnish.models.heads._contract import Head, HeadPlan

if TYPE_CHECKING:
    from burnish.models.network import Network


class RecordingHead(Head):
    """`AutoModel`, of Whisper its encoder, with a readout of ours; the base stays readable, the readout lies beside it.

    Only frames that hold sound are pooled, not the silence that fills a window.
    """

    gives = "recordings"

    pool: Literal["mean", "max"] = "mean"
    """How a recording's frames become one vector."""

    dropout: float = Field(default=0.1, ge=0, lt=1)
    """Dropout between the pooled vector and the linear layer."""

    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        from burnish.models import listening, pooling

        return listening.attach_recording(folder, plan, pooling.POOLS[self.pool], self.dropout)
