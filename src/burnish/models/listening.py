"""Trunks that listen: a speech encoder, or the encoder's half of a model that also writes; a readout on its frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from burnish.models.heads._contract import HeadPlan
from burnish.models.network import Network, load_pretrained
from burnish.models.pooling import Pool, new_linear
from burnish.models.recordings import POSITIONS


class EncoderTrunk(nn.Module):
    """The encoder of an encoder–decoder model, saved under the whole model's names, so that AutoModel reads it."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        del self.model.decoder

    @property
    def config(self) -> Any:
        return self.model.config

    def forward(self, input_features: Tensor, attention_mask: Tensor | None = None) -> Any:
        """input_features [B, bands, columns] → hidden states [B, T, H]."""
        return self.model.get_encoder()(input_features, attention_mask=attention_mask)

    def bodies(self) -> list[nn.Module]:
        return [self.model.get_encoder()]

    def save_pretrained(self, folder: Path) -> None:
        self.model.save_pretrained(folder)

    def activation_checkpointing_enable(self) -> None:
        self.model.activation_checkpointing_enable()


def load_listener(folder: Path, changes: Mapping[str, Any]) -> Any:
    """The trunk in `folder` that turns recordings into frames [B, T, H].

    What transformers hides at random in training (SpecAugment) is turned off: it draws from a generator of its own, so
    two runs of one recipe would differ.

    Raises:
        UserError: the model cannot be loaded, or has no encoder.
    """
    settings = {name: value for name, value in changes.items() if name != POSITIONS}
    model = load_pretrained("AutoModel", folder, settings)
    if not model.config.is_encoder_decoder:
        model.config.apply_spec_augment = False
        return model
    fit_positions(model, changes.get(POSITIONS))
    return EncoderTrunk(model)


def fit_positions(model: Any, n_positions: int | None) -> None:
    """Give Whisper's encoder its first `n_positions` only (None: all): it computes each, whatever a recording holds.

    Its positions are sinusoids (Radford et al. 2022, arXiv 2212.04356, §2.2), the same at any length and never trained.
    """
    model.config.apply_spec_augment = False
    encoder = model.get_encoder()
    table = getattr(encoder, "embed_positions", None)
    if not isinstance(table, nn.Embedding):
        return
    kept = table.weight[:n_positions].detach().clone()
    encoder.embed_positions = nn.Embedding.from_pretrained(kept, freeze=True)  # type: ignore[no-untyped-call]
    encoder.max_source_positions = len(kept)
    for config in (model.config, encoder.config):
        config.max_source_positions = len(kept)


class RecordingReadout(nn.Module):
    """hidden [B, T, H], frame_mask [B, T] of the inputs → logits [B, L]: pool over sound, norm, dropout, linear."""

    def __init__(self, pool: Pool, width: int, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.pool = pool
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.linear = new_linear(width, n_labels)

    def forward(self, hidden: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        pooled = self.norm(self.pool(hidden, inputs["frame_mask"]))
        logits: Tensor = self.linear(self.dropout(pooled))
        return logits


def attach_recording(folder: Path, plan: HeadPlan, pool: Pool, dropout: float) -> Network:
    """The base in `folder` with a new readout of recordings on it."""
    trunk = load_listener(folder, plan.config_settings())
    return Network(trunk, RecordingReadout(pool, trunk.config.hidden_size, len(plan.labels), dropout))
