"""TorchScript: a traced module, for programs in C++ and older versions of torch."""

from __future__ import annotations

from pathlib import Path

from burnish.compression.exports._beside import refusal_of, write_beside
from burnish.compression.exports._contract import Answering, Export
from burnish.compression.exports._running import run_called
from burnish.compression.subject import Subject
from burnish.tasks._contract import Feature, Run


class Torchscript(Export):
    """`model.ts`, run by torch alone. torch no longer develops the format: `torch_export` is its successor."""

    def refusal(self, subject: Subject) -> str | None:
        return refusal_of(subject)

    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        import torch

        from burnish.compression.tracing import quiet, told, traced

        found = traced(subject, examples)
        with quiet(), told("torchscript"), torch.inference_mode():
            script = torch.jit.trace(found.module, found.tensors, check_trace=True)  # type: ignore[no-untyped-call]
            torch.jit.save(script, folder / "model.ts")
        write_beside(subject, found.names, folder, "torch", "torchscript")

    def runs(self, subject: Answering, folder: Path) -> Run | None:
        import torch

        from burnish.compression.tracing import quiet

        with quiet():
            return run_called(torch.jit.load(folder / "model.ts"), subject, folder)  # type: ignore[no-untyped-call]
