"""OpenVINO IR: for Intel processors, with free batch and length."""

from __future__ import annotations

from pathlib import Path

from burnish.compression.exports._beside import refusal_of, write_beside
from burnish.compression.exports._contract import Answering, Export
from burnish.compression.subject import Subject
from burnish.tasks._contract import Feature, Run


class Openvino(Export):
    """`model.xml` and `model.bin`: weights in float32 or as a bundle was shrunk to; pooling and head inside."""

    carries = "openvino"
    files = ("model.xml", "model.bin")

    def refusal(self, subject: Subject) -> str | None:
        return refusal_of(subject)

    def write(self, subject: Subject, examples: list[Feature], folder: Path) -> None:
        from burnish.compression.tracing import to_openvino, traced

        found = traced(subject, examples)
        to_openvino(found, folder / "model.xml")
        write_beside(subject, found.names, folder, "openvino", "openvino")

    def runs(self, subject: Answering, folder: Path) -> Run | None:
        from burnish.bundle.runtimes.openvino import Openvino as Runtime

        return Runtime().load(folder, subject.task, subject.reader, subject.labels).run
