"""Several trunks in one network, such as a picture's and a text's, and what is read from them together.

A batch says by name which inputs belong to which tower: `text.input_ids`, `picture.pixel_values`. The first tower is
the main one: its folder is the model's, and the others lie in it, each in a folder of its name:

model/config.json, model.safetensors         the main trunk, read by AutoModel
model/text/config.json, model.safetensors    the text's, likewise
model/head.safetensors                       what is read from both
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from burnish.models.heads._contract import HeadPlan, TowerPlan
from burnish.models.network import Network
from burnish.models.pooling import mean_pool, new_linear
from burnish.models.trunks import load_trunk, picture_vector

Pool = Callable[[Any, Any, Mapping[str, Tensor]], Tensor]
"""(trunk, what it gives, its inputs) → one vector a row [B, H]."""

LARGEST_SCALE = 100.0
"""Most that a cosine is multiplied with (Radford et al. 2021, arXiv 2103.00020, §2.5)."""


def _text_vector(trunk: Any, outputs: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    return mean_pool(outputs.last_hidden_state, inputs["attention_mask"])


def _sound_vector(outputs: Any, inputs: Mapping[str, Tensor]) -> Tensor:
    """Only frames that hold sound count, not the silence that fills up a window."""
    return mean_pool(outputs.last_hidden_state, inputs["frame_mask"])


class Kind(NamedTuple):
    """A kind of tower: the main input by which a trunk is known to be of it, and how a row becomes one vector."""

    reads: str
    pool: Pool


KINDS = {
    "text": Kind("input_ids", _text_vector),
    "recording": Kind("input_values", lambda trunk, outputs, inputs: _sound_vector(outputs, inputs)),
    "picture": Kind("pixel_values", lambda trunk, outputs, inputs: picture_vector(trunk, outputs)),
}
"""Name of a tower → its kind."""


class Towers(nn.Module):
    """`trunks`: name → a transformers model, the main one first; `widths`: name → H of its vectors.

    forward: inputs called `<tower>.<input>` → name → vectors [B, H], of those towers that the batch has something for.
    Towers may get different numbers of rows.
    """

    def __init__(self, trunks: Mapping[str, Any]) -> None:
        super().__init__()
        self.trunks = nn.ModuleDict(trunks)
        self.widths = {name: width_of(trunk) for name, trunk in trunks.items()}
        self._accepted = {name: frozenset(inspect.signature(one.forward).parameters) for name, one in trunks.items()}

    def forward(self, **inputs: Tensor) -> dict[str, Tensor]:
        vectors = {}
        for name, trunk in self.trunks.items():
            own = {key.removeprefix(f"{name}."): value for key, value in inputs.items() if key.startswith(f"{name}.")}
            if own:
                known = {key: value for key, value in own.items() if key in self._accepted[name]}
                vectors[name] = KINDS[name].pool(trunk, trunk(**known), own)
        return vectors

    def accepts(self, name: str) -> bool:
        """Whether an input of this name is for one of the towers."""
        return name.partition(".")[0] in self.trunks

    def bodies(self) -> list[nn.Module]:
        """The pretrained trunks, each frozen by its own layers."""
        return [body for trunk in self.trunks.values() for body in bodies_of(trunk)]

    def save_pretrained(self, folder: Path) -> None:
        for number, (name, trunk) in enumerate(self.trunks.items()):
            trunk.save_pretrained(folder / name if number else folder)  # type: ignore[operator]

    def activation_checkpointing_enable(self) -> None:
        for trunk in self.trunks.values():
            trunk.activation_checkpointing_enable()  # type: ignore[operator]


def bodies_of(trunk: Any) -> list[nn.Module]:
    """The modules of a trunk that hold its layers: itself, unless it wraps them."""
    return trunk.bodies() if hasattr(trunk, "bodies") else [trunk]


def width_of(trunk: Any) -> int:
    """H of a trunk's states; convolutional networks name the width of each stage or the last, a model of timm none."""
    config = trunk.config
    if (wrapped := getattr(trunk, "timm_model", None)) is not None:
        return int(wrapped.head_hidden_size)
    for name in ("hidden_size", "hidden_dim", "d_model"):
        if isinstance(width := getattr(config, name, None), int):
            return width
    return int(config.hidden_sizes[-1])


class PictureReadout(nn.Module):
    """What a trunk gives of pictures → logits [B, L]: its pooled vector [B, H], linear."""

    reads_all = True

    def __init__(self, width: int, n_labels: int) -> None:
        super().__init__()
        self.linear = new_linear(width, n_labels)

    def forward(self, outputs: Any, inputs: Mapping[str, Tensor]) -> Tensor:
        logits: Tensor = self.linear(picture_vector(None, outputs).float())
        return logits


class FusionReadout(nn.Module):
    """name → vectors [B, H of the tower] → logits [B, L].

    Each tower's vector is normalised (layer norm) and led to one width W; these, side by side, and with their product
    (Kim et al. 2017, arXiv 1610.04325, §3: what one says of the other) go through dropout and a linear layer.
    """

    def __init__(self, widths: Mapping[str, int], width: int, n_labels: int, dropout: float) -> None:
        super().__init__()
        self.led = nn.ModuleDict({name: _led(own, width) for name, own in widths.items()})
        self.dropout = nn.Dropout(dropout)
        self.linear = new_linear((len(widths) + 1) * width, n_labels)

    def forward(self, vectors: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Tensor:
        parts = [led(vectors[name].float()) for name, led in self.led.items()]
        product = torch.stack(parts).prod(0)
        logits: Tensor = self.linear(self.dropout(torch.cat([*parts, product], dim=1)))
        return logits


class SpaceReadout(nn.Module):
    """name → vectors [B, H of the tower] → [R, W] in one space: rows of the first tower, then those of the next.

    The products of two towers' rows are the logits of their belonging together: cosine × a learned scale (Radford et
    al. 2021, arXiv 2103.00020, §2.3), so every row has the length √scale.
    """

    def __init__(self, widths: Mapping[str, int], width: int, dropout: float, scale: float) -> None:
        super().__init__()
        self.led = nn.ModuleDict({name: _led(own, width) for name, own in widths.items()})
        self.dropout = nn.Dropout(dropout)
        self.log_scale = nn.Parameter(torch.tensor([scale]).log())

    def forward(self, vectors: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> Tensor:
        led = [self.led[name](self.dropout(vectors[name].float())) for name in self.led if name in vectors]
        length = self.log_scale.exp().clamp(max=LARGEST_SCALE).sqrt()
        return length * nn.functional.normalize(torch.cat(led), dim=-1)


def _led(width: int, to: int) -> nn.Module:
    """From a tower's width to a shared one; the norm makes towers of any scale alike."""
    return nn.Sequential(nn.LayerNorm(width), nn.Linear(width, to))


def attach_towers(folder: Path, plan: HeadPlan, readout: Callable[[Mapping[str, int]], nn.Module]) -> Network:
    """The towers that a plan names with a readout on them. `folder` holds the main one, unless its plan says else.

    Raises:
        UserError: a folder holds no model, or one that reads something else.
    """
    trunks = {
        tower.name: load_trunk(_folder_of(tower, number, folder), KINDS[tower.name].reads, dict(tower.config_changes))
        for number, tower in enumerate(plan.towers)
    }
    towers = Towers(trunks)
    return Network(towers, readout(towers.widths))


def _folder_of(tower: TowerPlan, number: int, folder: Path) -> Path:
    return tower.folder or (folder / tower.name if number else folder)
