"""In which arithmetic matrix products are computed in training: fp32, bf16 or fp16."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from burnish.core.errors import UserError

if TYPE_CHECKING:
    import torch

Precision = Literal["fp32", "bf16", "fp16"]


def choose_precision(wanted: Literal["auto"] | Precision, device: torch.device) -> Precision:
    """The arithmetic to use on `device`; `auto` takes bf16 where the silicon has it, else fp32.

    A CPU with AVX-512 but without its bf16 instructions emulates them, at half the speed of fp32 or less
    (intel-extension-for-pytorch issue 178), so "can" is not "should": `is_bf16_native` asks for the instructions.

    Raises:
        UserError: fp16 elsewhere than on CUDA, where it has neither speed nor a tested loss scale.
    """
    if wanted == "auto":
        return "bf16" if is_bf16_native(device) else "fp32"
    if wanted == "fp16" and device.type != "cuda":
        raise UserError(
            f"train.precision: fp16 needs a CUDA device and this run is on '{device.type}'; "
            f"use auto, which takes {choose_precision('auto', device)} here."
        )
    return wanted


def is_bf16_native(device: torch.device) -> bool:
    """Whether `device` has bf16 matrix instructions: CUDA from compute capability 8, CPUs with AMX or AVX512-BF16."""
    import torch

    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device.type != "cpu":
        return False
    ask = getattr(torch.cpu, "get_capabilities", None)
    known: Mapping[str, Any] = ask() if ask else {}  # an older torch cannot tell: then fp32, which is always right
    return bool(known.get("avx512_bf16") or known.get("amx_bf16"))


def slowness(precision: Precision, device: torch.device) -> str | None:
    """A warning when the recipe insists on bf16 where it is emulated, else None."""
    if precision == "bf16" and not is_bf16_native(device):
        return (
            f"train.precision: this '{device.type}' device has no bf16 instructions, so bf16 is emulated and slower "
            "than fp32; auto would take fp32."
        )
    return None
