"""What makes two runs, or a run and its resumption, equal bit for bit.

Order of rows and dropout depend on integers that a checkpoint holds, so a checkpoint needs no generator state:
nothing in training draws from a global generator. What is left is the machine: the same hardware, versions and
number of threads are part of the promise, because they decide in which order numbers are added.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from burnish.core.seeds import derive

if TYPE_CHECKING:
    import torch

    from burnish.training.hardware import Hardware


@contextmanager
def deterministic(n_threads: int) -> Iterator[None]:
    """Within: `n_threads` CPU threads and, where torch has them, algorithms that always add in the same order.

    An operation without such an algorithm warns instead of failing. Everything is as before afterwards.
    """
    import torch
    from torch.nn.attention import SDPBackend, sdpa_kernel

    options: Any = torch.utils.deterministic  # a module whose attribute torch makes at run time
    before = (
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        options.fill_uninitialized_memory,
        os.environ.get("CUBLAS_WORKSPACE_CONFIG"),
    )
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it cuBLAS may choose another order each time
    options.fill_uninitialized_memory = False  # a debugging aid that writes every new tensor twice
    torch.use_deterministic_algorithms(True, warn_only=True)
    torch.set_num_threads(n_threads)
    # torch's fused attention adds in any order on CUDA, whatever was asked for, unless an error may end the run
    attention = sdpa_kernel(SDPBackend.MATH) if torch.cuda.is_available() else nullcontext()
    try:
        with attention:
            yield
    finally:
        torch.set_num_threads(before[0])
        torch.use_deterministic_algorithms(before[1], warn_only=before[2])
        options.fill_uninitialized_memory = before[3]
        if before[4] is None:
            os.environ.pop("CUBLAS_WORKSPACE_CONFIG", None)


@contextmanager
def seeded_dropout(seed: int, epoch: int, batch: int, device: torch.device) -> Iterator[None]:
    """Within: torch's generators start from a number that depends on (seed, epoch, batch) only.

    Afterwards they are as before: a caller's own draws are neither repeated nor shifted.
    """
    import torch

    number = derive(seed, "dropout", epoch, batch)
    devices = [] if device.type == "cpu" else [device]
    with torch.random.fork_rng(devices, device_type=device.type):
        torch.default_generator.manual_seed(number)
        if devices:
            torch.get_device_module(device).manual_seed(number)
        yield


def machine(hardware: Hardware) -> dict[str, str]:
    """What bit-exactness depends on beside the recipe and the data; compared when a run is resumed."""
    import torch

    device = hardware.device
    return {
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else device.type,
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "precision": hardware.precision,
        "processes": str(hardware.n_processes),
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
    }
