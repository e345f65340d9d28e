"""A pretrained trunk of any kind, checked to read what it is wanted for: texts, pictures or recordings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from burnish.core.errors import UserError
from burnish.models.inspection import read_config
from burnish.models.listening import load_listener
from burnish.models.network import load_pretrained

WORDS = {
    "input_ids": "texts",
    "pixel_values": "pictures",
    "input_values": "recordings",
    "input_features": "recordings",
}
PARTS = {"pixel_values": "vision_config", "input_ids": "text_config"}
"""What a model of pictures and texts, such as CLIP, calls the half of it that reads one of them."""


def load_trunk(folder: Path, reads: str, changes: dict[str, Any]) -> Any:
    """`AutoModel` of a folder, or the half of it that reads `reads`, e.g. the pictures' half of CLIP.

    A pooling layer that the file has no weights for is taken off: random, it would blur what the trunk knows.

    Raises:
        UserError: the model in the folder reads something else, or cannot be loaded.
    """
    refuse_other(folder, reads)
    if WORDS[reads] == "recordings":
        return load_listener(folder, changes)
    half = _half(folder, reads)
    settings = {"config": half} if half is not None else changes
    trunk, info = load_pretrained("AutoModel", folder, {**settings, "output_loading_info": True})
    if "pooler" in {name.split(".")[0] for name in info["missing_keys"]}:
        trunk.pooler = None
    return trunk


def refuse_other(folder: Path, reads: str) -> None:
    """Raise `UserError` unless the model in `folder` reads `reads`, the name of a model's main input."""
    found = main_input(folder)
    if _half(folder, reads) is None and WORDS.get(found, found) != WORDS[reads]:
        kind = read_config(folder)["model_type"]
        raise UserError(
            f"base: {folder} reads {WORDS.get(found, found)} ({kind}), not {WORDS[reads]}; name a base that does."
        )


def _half(folder: Path, reads: str) -> Any:
    """The config of the half of a model that reads `reads`, where it has halves."""
    return getattr(_config(folder), PARTS.get(reads, ""), None)


def main_input(folder: Path) -> str:
    """What the model in a folder reads, as its library calls it: input_ids, pixel_values, input_values, …"""
    from transformers.models.auto.modeling_auto import MODEL_MAPPING

    try:
        model: Any = MODEL_MAPPING[type(_config(folder))]
    except KeyError:
        return "input_ids"
    return str((model[0] if isinstance(model, tuple) else model).main_input_name)


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    try:
        return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError, KeyError, ImportError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise UserError(f"base: {folder} has a config.json that transformers cannot read ({reason}).") from None


def picture_vector(trunk: Any, outputs: Any) -> Tensor:
    """[B, H] one vector a picture: the trunk's own pooling where it has one, else its class token, else the mean.

    Hidden states are [B, T, H] patches, or [B, H, h, w] of a convolutional network.
    """
    pooled: Tensor | None = outputs.get("pooler_output")
    if pooled is not None:
        return pooled.flatten(1)  # some give [B, H, 1, 1]
    hidden: Tensor = outputs.last_hidden_state
    if hidden.ndim == 4:
        return hidden.mean(dim=(2, 3))
    has_class = hasattr(getattr(trunk, "embeddings", None), "cls_token")
    return hidden[:, 0] if has_class else hidden.mean(dim=1)
