"""Layer drop: a model keeps some of its layers as they are (Sajjad et al. 2020, arXiv 2004.03844)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field, field_validator

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class LayerDrop(Method):
    """Time goes with the number of layers; without recovery little is left of most models."""

    makes = "network"

    keep: int = Field(default=3, ge=1)
    """Layers that stay, spread evenly from the first to the last: every second, say."""

    indices: list[int] | None = Field(default=None, min_length=1)
    """Which layers stay, counted from 0 at the bottom, instead of `keep`."""

    recovery_epochs: int = Field(default=1, ge=0)
    """How often the smaller model is trained on every batch; 0 leaves its weights as they were."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Peak rate of that training; null takes that of the recipe."""

    teacher_share: float = Field(default=0.5, ge=0, le=1)
    """Share of its loss that is the distance from the whole model's answers; the rest is the task's own."""

    @field_validator("indices")
    @classmethod
    def _indices_grow(cls, value: list[int] | None) -> list[int] | None:
        if value is not None and (value != sorted(set(value)) or value[0] < 0):
            raise ValueError("must name layers from the bottom up, each once, the lowest 0")
        return value

    def refusal(self, subject: Subject) -> str | None:
        from burnish.compression.methods._blocks import refuse_without_blocks, stack_of

        if (reason := refuse_without_blocks(subject)) is not None:
            return reason
        n_layers = len(stack_of(subject.network))
        if self.indices is not None and self.indices[-1] >= n_layers:
            return f"the model has {n_layers} layers, so there is none with the index {self.indices[-1]}."
        if len(self.indices or range(self.keep)) >= n_layers:
            return f"the model has {n_layers} layers, so none would go."
        return None

    def apply(self, subject: Subject, material: Material) -> Subject:
        import copy

        from burnish.compression.methods._blocks import stack_of
        from burnish.compression.methods._layers import keep_layers, spread
        from burnish.compression.methods._recovery import Recovery

        network = copy.deepcopy(subject.network)
        keep_layers(network, self.indices or spread(len(stack_of(network)), self.keep))
        recovery = Recovery(self.recovery_epochs, self.learning_rate, self.teacher_share)
        network = recovery.of(network, subject, material)
        return subject.after(self, network=network)
