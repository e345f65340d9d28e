"""FFN width: the neurons of feed-forward parts that matter least go, as many in every layer (Molchanov et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class WidthPruning(Method):
    """Structured pruning by first-order Taylor importance (arXiv 1611.06440); rows and columns go, nothing is masked.

    All layers keep the same number, so the config says it and every tool loads the result.
    """

    makes = "network"

    keep: float = Field(default=0.5, gt=0, lt=1)
    """Share of each layer's neurons that stays."""

    multiple: int = Field(default=32, ge=1)
    """What stays is rounded to a multiple of this, as matrix kernels work fastest."""

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

        if (reason := refuse_without_blocks(subject)) is not None:
            return reason
        width = stack_of(subject.network).linears("down")[0].in_features
        if self._kept(width) >= width:
            return f"the feed-forward parts are {width} wide; to the next multiple of {self.multiple} none would go."
        return None

    def apply(self, subject: Subject, material: Material) -> Subject:
        import copy

        from burnish.compression.methods._blocks import keep_columns, keep_rows, stack_of, tell_config
        from burnish.compression.methods._importance import importances, most_important
        from burnish.compression.methods._recovery import Recovery

        network = copy.deepcopy(subject.network)
        stack = stack_of(network)
        ups, downs = stack.linears("up"), stack.linears("down")
        n_kept = self._kept(downs[0].in_features)
        scores = importances(network, downs, 1, material, self.n_rows)
        for up, down, of_layer in zip(ups, downs, scores, strict=True):
            neurons = most_important(of_layer, n_kept)
            keep_rows(up, neurons)
            keep_columns(down, neurons)
        tell_config(network, **{stack.layout.width: n_kept})
        recovery = Recovery(self.recovery_epochs, self.learning_rate, self.teacher_share)
        network = recovery.of(network, subject, material)
        return subject.after(self, network=network)

    def _kept(self, width: int) -> int:
        return max(1, round(self.keep * width / self.multiple)) * self.multiple
