"""EfficientNet-Lite0 laid out as transformers' own EfficientNet, so that every tool reads it and its fine-tunings.

Lite has no squeeze-and-excitation, which transformers' EfficientNet always has: each such layer is one channel wide
here and multiplies with sigmoid(100), which is 1 exactly in float32 and has no gradient. Outputs equal the original's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError
from burnish.core.files import new_folder, sha256_of, write_json
from burnish.core.settings import settings

if TYPE_CHECKING:
    from torch import Tensor

LAYOUT = 1
"""Counted up when what `converted` writes changes, so that an older copy in the cache is not taken."""

CONFIG: dict[str, Any] = {
    "image_size": 224,
    "width_coefficient": 1.0,
    "depth_coefficient": 1.0,
    "hidden_dim": 1280,
    "hidden_act": "relu6",
    "squeeze_expansion_ratio": 1e-9,  # leaves one channel, the least that can be
    "batch_norm_eps": 1e-3,
    "batch_norm_momentum": 0.01,  # of the new: torch counts the other way round than TensorFlow
    "dropout_rate": 0.2,
}
READS = {
    "image_processor_type": "CLIPImageProcessor",  # resize the shorter side, crop the middle, rescale, normalise
    "do_resize": True,
    "size": {"shortest_edge": 256},
    "resample": 3,  # bicubic
    "do_center_crop": True,
    "crop_size": {"height": 224, "width": 224},
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [127 / 255] * 3,
    "image_std": [128 / 255] * 3,
    "do_convert_rgb": True,
}
OPEN = 100.0
"""sigmoid(100) is 1 in float32."""

NAMES = (
    (r"^_conv_stem\.", "embeddings.convolution."),
    (r"^_bn0\.", "embeddings.batchnorm."),
    (r"^_conv_head\.", "encoder.top_conv."),
    (r"^_bn1\.", "encoder.top_bn."),
    (r"^_blocks\.(\d+)\.", r"encoder.blocks.\1."),
    (r"\._expand_conv\.", ".expansion.expand_conv."),
    (r"\._bn0\.", ".expansion.expand_bn."),
    (r"\._depthwise_conv\.", ".depthwise_conv.depthwise_conv."),
    (r"\._bn1\.", ".depthwise_conv.depthwise_norm."),
    (r"\._project_conv\.", ".projection.project_conv."),
    (r"\._bn2\.", ".projection.project_bn."),
)
"""What a weight's name in the package becomes, one after the other."""


def converted(pickled: Path) -> Path:
    """The folder of the model in Hugging Face layout, written into the cache at first use.

    Raises:
        UserError: the cache folder cannot be written, or the package holds other weights than are known.
    """
    digest = sha256_of(pickled)
    folder = settings().cache_folder / f"efficientnet_lite0-{LAYOUT}-{digest[:12]}"
    if not _is_done(folder):
        try:
            with new_folder(folder) as fresh:
                _write(pickled, fresh)
        except (UserError, OSError):
            if not _is_done(folder):  # else another process was quicker
                raise
    return folder


def _is_done(folder: Path) -> bool:
    return (folder / "config.json").is_file()  # a folder is renamed into place whole


def _write(pickled: Path, folder: Path) -> None:
    import torch
    from transformers import EfficientNetConfig, EfficientNetModel

    from burnish.models.network import quiet_transformers
    from burnish.models.weights import open_to_readers

    weights = torch.load(pickled, weights_only=True, map_location="cpu")
    model = EfficientNetModel(EfficientNetConfig(**CONFIG))
    state = {**dict(_opened(model.state_dict())), **dict(_renamed(weights))}
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).split("\n")[0][:200]
        raise UserError(f"{pickled}: holds other weights than EfficientNet-Lite0's ({reason}).") from None
    with quiet_transformers():
        model.save_pretrained(folder)
    open_to_readers(folder)
    write_json(folder / "preprocessor_config.json", READS)


def _renamed(weights: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """The weights by transformers' names; the classifier of ImageNet's labels stays behind."""
    for name, tensor in weights.items():
        if name.startswith("_fc."):
            continue
        for pattern, put in NAMES:
            name = re.sub(pattern, put, name)
        yield name, tensor


def _opened(state: Mapping[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """Squeeze-and-excitation layers that change nothing: no weight, and a bias that opens them wholly."""
    for name, tensor in state.items():
        if ".squeeze_excite." in name:
            yield name, tensor * 0 + (OPEN if name.endswith("expand.bias") else 0.0)
