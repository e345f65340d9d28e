"""Attention heads that matter least go, measured by gradients (Michel et al. 2019, arXiv 1905.10650)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class HeadPruning(Method):
    """Structured pruning: rows of query, key and value go, and columns of the output; nothing is masked.

    No config says how many heads each layer has, so the result leaves the plain layout and goes on to an artefact.
    """

    makes = "network"

    keep: float = Field(default=0.67, gt=0, lt=1)
    """Share of all heads that stays; every layer keeps at least one."""

    is_even: bool = False
    """Whether every layer keeps the same number, instead of those that matter most wherever they are."""

    n_rows: int = Field(default=2000, ge=1)
    """Training rows on which importance is measured."""

    recovery_epochs: int = Field(default=1, ge=0)
    """How often the smaller model is trained on every batch; 0 leaves its weights as they were."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Peak rate of that training; null takes that of the recipe."""

    teacher_share: float = Field(default=0.5, ge=0, le=1)
    """Share of its loss that is the distance from the whole model's answers; the rest is the task's own."""

    def refusal(self, subject: Subject) -> str | None:
        from burnish.compression.methods._blocks import refuse_without_blocks, stack_of
        from burnish.compression.methods._head_pruning import heads_of, n_kept

        if (reason := refuse_without_blocks(subject)) is not None:
            return reason
        heads = heads_of(stack_of(subject.network))
        if sum(n_kept(heads, self.keep, self.is_even)) >= sum(heads):
            return f"the model has {sum(heads)} heads in {len(heads)} layers, so none would go."
        return None

    def apply(self, subject: Subject, material: Material) -> Subject:
        import copy

        from burnish.compression.methods._blocks import stack_of
        from burnish.compression.methods._head_pruning import chosen_heads, keep_heads
        from burnish.compression.methods._importance import importances
        from burnish.compression.methods._recovery import Recovery

        network = copy.deepcopy(subject.network)
        stack = stack_of(network)
        scores = importances(network, stack.linears("output"), stack.head_size, material, self.n_rows)
        keep_heads(stack, chosen_heads(scores, self.keep, self.is_even))
        recovery = Recovery(self.recovery_epochs, self.learning_rate, self.teacher_share)
        network = recovery.of(network, subject, material)
        return subject.after(self, network=network, is_plain=False)
