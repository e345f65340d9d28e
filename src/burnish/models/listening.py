"""Trunks that listen: a speech encoder, or the encoder's half of a model that also writes; a readout on its frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from burnish.core.errors import UserError
from burnish.models.heads._contract import HeadPlan
from burnish.models.network import Network, load_pretrained
from burnish.models.pooling import Pool, new_linear

POSITIONS = "max_source_positions"


class EncoderTrunk(nn.Module):
    """The encoder of an encoder–decoder model. Saved under the whole model's names, so that AutoModel reads it again."""

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
    model.config.apply_spec_augment = False
    if not model.config.is_encoder_decoder:
        return model
    if POSITIONS in changes:
        cut_positions(model, changes[POSITIONS])
    return EncoderTrunk(model)


def cut_positions(model: Any, n_positions: int) -> None:
    """Give Whisper's encoder its first `n_positions` only: it computes every one, whatever the recording holds.

    Its positions are sinusoids (Radford et al. 2022, arXiv 2212.04356, §2.2), the same at any length.
    """
    encoder = model.get_encoder()
    known = encoder.embed_positions.weight
    if n_positions > len(known):
        raise UserError(f"task.max_seconds: this base has {len(known)} positions; {n_positions} are asked for.")
    encoder.embed_positions = nn.Embedding.from_pretrained(known[:n_positions].detach().clone(), freeze=True)
    for config in (model.config, encoder.config):
        config.max_source_positions = n_positions
    encoder.max_source_positions = n_positions


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
