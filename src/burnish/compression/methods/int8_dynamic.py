"""Dynamic int8: weights beforehand, activations while answering, by ONNX Runtime; needs no texts to calibrate on."""

from __future__ import annotations

import logging

from burnish.compression.methods._contract import Method
from burnish.compression.methods._encoders import not_an_encoder
from burnish.compression.methods._saturation import is_cut_off
from burnish.compression.subject import Material, Subject
from burnish.core.shelves import need


class Int8Dynamic(Method):
    """Each batch's activations are scaled by their own range. Slower than static int8, with nothing to choose."""

    makes = "artefact"

    per_channel: bool = True
    """A scale for each column of a weight matrix rather than one for all of it: closer answers for a little more
    work."""

    def refusal(self, subject: Subject) -> str | None:
        return not_an_encoder(subject)

    def apply(self, subject: Subject, material: Material) -> Subject:
        from burnish.bundle.runtimes.onnxruntime import MODEL_FILE, Onnxruntime
        from burnish.compression.tracing import quiet, to_onnx, told, traced

        quantization = need("onnxruntime.quantization", "onnx")
        folder = material.new_folder(self.part_name)
        whole = to_onnx(traced(subject, material.examples), folder / "whole.onnx")
        logger = logging.getLogger()
        level = logger.level
        logger.setLevel(logging.ERROR)  # it advises a preparation that the graph has behind it, on the root logger
        try:
            with quiet(), told("onnxruntime"):
                quantization.quantize_dynamic(
                    whole,
                    folder / MODEL_FILE,
                    per_channel=self.per_channel,
                    reduce_range=is_cut_off(),
                    weight_type=quantization.QuantType.QInt8,
                )
        finally:
            logger.setLevel(level)
        whole.unlink()
        return subject.after(self, runtime=Onnxruntime(), files=folder)
