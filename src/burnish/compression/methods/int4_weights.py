"""Int4 weights of a model that writes, rounded to the nearest, a scale and a zero for each few; embeddings int8."""

from __future__ import annotations

from pydantic import Field

from burnish.compression.methods._contract import Method
from burnish.compression.methods._weights import not_a_writer, with_small_weights
from burnish.compression.subject import Material, Subject


class Int4Weights(Method):
    """Half a byte a weight: what Frantar et al. 2022 (arXiv 2210.17323, §5) call RTN and hold their own way against.
    Smaller than `int8_weights`, and further from the judged model. Runs in OpenVINO.
    """

    makes = "artefact"

    group: int = Field(default=32, ge=8)
    """So many neighbours in a row of a matrix share a scale and a zero. A matrix whose rows they do not divide stays
    int8."""

    share: float = Field(default=1.0, gt=0, le=1)
    """Share of the weights in layers that become int4; the rest, those that suffer most, become int8."""

    def refusal(self, subject: Subject) -> str | None:
        return not_a_writer(subject)

    def apply(self, subject: Subject, material: Material) -> Subject:
        return with_small_weights(self, subject, material, "INT4_ASYM", group_size=self.group, ratio=self.share)
