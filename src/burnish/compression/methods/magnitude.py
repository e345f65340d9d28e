"""Magnitude pruning: the smallest weights of linear layers become zero (Han et al. 2015, arXiv 1506.02626)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class MagnitudePruning(Method):
    """Shapes stay, so files shrink only when packed and time only in runtimes that skip zeros."""

    makes = "network"

    sparsity: float = Field(default=0.5, gt=0, lt=1)
    """Share of the weights of the linear layers in blocks that becomes zero."""

    scope: Literal["layer", "global"] = "layer"
    """Whether every layer loses the same share, or all are compared with each other."""

    recovery_epochs: int = Field(default=1, ge=0)
    """How often the model is trained on every batch afterwards, zeros staying zero; 0 leaves its weights."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Peak rate of that training; null takes that of the recipe."""

    teacher_share: float = Field(default=0.5, ge=0, le=1)
    """Share of its loss that is the distance from the whole model's answers; the rest is the task's own."""

    def refusal(self, subject: Subject) -> str | None:
        from burnish.compression.methods._masks import linear_layers

        if subject.runtime is not None:
            return f"the model was already made into files for {subject.runtime.part_name}; weights change before that."
        if not linear_layers(subject.network):
            return "the network has no linear layers in blocks."
        return None

    def apply(self, subject: Subject, material: Material) -> Subject:
        import copy

        from burnish.compression.methods._masks import held_at_zero, linear_layers, magnitude_masks
        from burnish.compression.methods._recovery import Recovery

        network = copy.deepcopy(subject.network)
        layers = linear_layers(network)
        masks = magnitude_masks(layers, self.sparsity, is_global=self.scope == "global")
        recovery = Recovery(self.recovery_epochs, self.learning_rate, self.teacher_share)
        with held_at_zero(layers, masks):
            network = recovery.of(network, subject, material)
        return subject.after(self, network=network)
