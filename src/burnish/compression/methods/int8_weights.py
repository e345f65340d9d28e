"""Int8 weights of a model that writes: a byte each, a scale for each row of a matrix (Dettmers et al. 2022, §2)."""

from __future__ import annotations

from burnish.compression.methods._contract import Method
from burnish.compression.methods._weights import not_a_writer, with_small_weights
from burnish.compression.subject import Material, Subject


class Int8Weights(Method):
    """Each token that is written reads every weight once, and memory is what it waits for: a quarter of the bytes
    (arXiv 2208.07339). Needs no texts to calibrate on. Runs in OpenVINO.
    """

    makes = "artefact"

    def refusal(self, subject: Subject) -> str | None:
        return not_a_writer(subject)

    def apply(self, subject: Subject, material: Material) -> Subject:
        return with_small_weights(self, subject, material, "INT8_ASYM")
