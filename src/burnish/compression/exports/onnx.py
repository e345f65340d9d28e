"""ONNX: one file that ONNX Runtime and most inference engines run, with free batch and length."""

from __future__ import annotations

from pathlib import Path

from burnish.compression.exports._beside import refusal_of, write_beside
from burnish.compression.exports._contract import Answering, Export
from burnish.compression.subject import Subject
from burnish.tasks._contract import Feature, Run


class Onnx(Export):
    """`model.onnx`: weights in float32, or as a bundle was shrunk to, pooling, head and normalisation inside."""

    carries = "onnxruntime"
    files = ("model.onnx",)

    def refusal(self, subject: Subject) -> str | None:
        return refusal_of(subject)

    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        from burnish.compression.tracing import to_onnx, traced

        found = traced(subject, examples)
        to_onnx(found, folder / "model.onnx")
        write_beside(subject, found.names, folder, "onnxruntime", "onnx")

    def runs(self, subject: Answering, folder: Path) -> Run | None:
        from burnish.bundle.runtimes.onnxruntime import Onnxruntime

        return Onnxruntime().load(folder, subject.task, subject.reader, subject.labels).run
