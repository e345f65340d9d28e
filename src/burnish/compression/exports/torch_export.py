"""torch.export: the graph that PyTorch itself writes, run by torch alone."""

from __future__ import annotations

from pathlib import Path

from burnish.compression.exports._beside import refusal_of, write_beside
from burnish.compression.exports._contract import Answering, Export
from burnish.compression.exports._running import run_called
from burnish.compression.subject import Subject
from burnish.tasks._contract import Feature, Run


class TorchExport(Export):
    """`model.pt2`, an ExportedProgram with free batch and length: needs torch and none of the model's own code."""

    def refusal(self, subject: Subject) -> str | None:
        return refusal_of(subject)

    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        import torch

        from burnish.compression.tracing import quiet, traced

        found = traced(subject, examples)
        with quiet():
            torch.export.save(found.program, folder / "model.pt2")
        write_beside(subject, found.names, folder, "torch", "torch_export")

    def runs(self, subject: Answering, folder: Path) -> Run | None:
        import torch

        return run_called(torch.export.load(folder / "model.pt2").module(), subject, folder)
