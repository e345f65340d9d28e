"""Where training runs: the device, the arithmetic, and the processes that share the work.

accelerate finds the device and starts the process group (torchrun sets the environment). The rest of its
`Accelerator` is left aside on purpose: it patches `network.forward`, so that judging would run in bf16 too; it fixes
one precision for the whole life of the process; and DistributedDataParallel wants every process to have a batch in
every step, which the end of an epoch does not give. Gradients are added up here instead, once a step, in one piece.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish.core.settings import settings
from burnish.training.precision import Precision, choose_precision

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from torch.nn import Parameter

    from burnish.tasks._contract import Batch, Collated


@dataclass(frozen=True)
class Hardware:
    """One process of a run and the device that it computes on."""

    device: torch.device
    precision: Precision
    scaler: torch.amp.GradScaler | None = None
    """Keeps fp16 gradients out of the numbers too small for it (Micikevicius et al. 2018, arXiv 1710.03740, §3.2)."""
    n_processes: int = 1
    process: int = 0
    """Number of this process, from 0."""

    @property
    def is_main(self) -> bool:
        """Whether this process is the one that writes files and tells of progress."""
        return self.process == 0

    @property
    def n_threads(self) -> int:
        """CPU threads for this process: what `BURNISH_THREADS` says, else an equal share of the machine's cores."""
        n_here = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))  # torchrun's count of processes on this machine
        return settings().threads or max(1, settings().n_threads // n_here)

    def share(self, batches: range) -> range:
        """Those of a step's batches that this process computes; may be none."""
        return batches[self.process :: self.n_processes]

    def place(self, collated: Collated) -> Batch:
        """The batch as tensors on the device."""
        return collated.to(self.device)

    def arithmetic(self) -> AbstractContextManager[Any]:
        """The scope in which the forward pass runs."""
        import torch

        if self.precision == "fp32":
            return nullcontext()
        dtype = torch.bfloat16 if self.precision == "bf16" else torch.float16
        return torch.autocast(self.device.type, dtype=dtype)

    def backward(self, loss: Tensor) -> None:
        (loss if self.scaler is None else self.scaler.scale(loss)).backward()  # type: ignore[no-untyped-call]

    def total(self, *numbers: float) -> list[float]:
        """Each number, added up over the processes."""
        import torch

        if self.n_processes == 1:
            return list(numbers)
        numbers_here = torch.tensor(numbers, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(numbers_here)
        return [float(number) for number in numbers_here]

    def add_up(self, parameters: Iterable[Parameter]) -> None:
        """Add up every gradient over the processes, so that all of them take the same step.

        A parameter that no process has a gradient for keeps None, and the optimiser leaves it alone.
        """
        import torch

        if self.n_processes == 1:
            return
        parameters = list(parameters)
        has_gradient = torch.tensor([p.grad is not None for p in parameters], dtype=torch.int32, device=self.device)
        torch.distributed.all_reduce(has_gradient)
        used = [p for p, n in zip(parameters, has_gradient.tolist(), strict=True) if n]
        flat = torch.cat([(torch.zeros_like(p) if p.grad is None else p.grad).reshape(-1) for p in used])
        torch.distributed.all_reduce(flat)
        for parameter, piece in zip(used, torch.split(flat, [p.numel() for p in used]), strict=True):
            parameter.grad = piece.view_as(parameter)

    def wait(self) -> None:
        """Wait until every process is here."""
        import torch

        if self.n_processes > 1:
            torch.distributed.barrier()


def open_hardware(wanted: str) -> Hardware:
    """The device that accelerate finds, in the arithmetic that `train.precision` asks for."""
    import torch
    from accelerate import PartialState

    from burnish.models.device import is_cpu_asked

    is_cpu = not torch.accelerator.is_available() or is_cpu_asked()
    state = PartialState(cpu=is_cpu)  # without the argument it would not start a group of processes on CPUs
    device: torch.device = state.device
    precision = choose_precision(wanted, device)  # type: ignore[arg-type]
    scaler = torch.amp.GradScaler(device.type) if precision == "fp16" else None
    return Hardware(device, precision, scaler, state.num_processes, state.process_index)
