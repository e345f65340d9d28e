"""Where networks compute: the accelerator that torch finds, or the CPU."""

from __future__ import annotations

import os

import torch


def is_cpu_asked() -> bool:
    """Whether `ACCELERATE_USE_CPU`, which the accelerate library knows too, asks to leave accelerators alone."""
    return os.environ.get("ACCELERATE_USE_CPU", "").lower() in {"1", "true", "t", "yes", "y", "on"}


def best_device() -> torch.device:
    """The accelerator of this process, where there is one and nobody asks for the CPU; torchrun counts processes."""
    found = None if is_cpu_asked() else torch.accelerator.current_accelerator(check_available=True)
    if found is None:
        return torch.device("cpu")
    process = os.environ.get("LOCAL_RANK")
    return torch.device(found.type) if process is None else torch.device(found.type, int(process))
