"""Distillation into a smaller student, by logits, hidden states and attention relations (Hinton et al. 2015)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class Distillation(Method):
    """Knowledge distillation (arXiv 1503.02531); the teacher is the model itself.

    The student is some of its layers, or another base that reads the same tokens. Losses are added, each with its
    weight, and those with weight 0 are left out; batches without labels teach by the teacher's answers alone.
    """

    makes = "network"

    layers: int = Field(default=3, ge=1)
    """Layers of the student, spread evenly over the teacher's, where `student` names no base."""

    student: str | None = None
    """A base (name, folder or `hub:<id>`) with the same tokenizer to start the student from; null takes `layers`."""

    temperature: float = Field(default=2.0, gt=0)
    """What logits are divided by before they are compared: higher looks more at the unlikely labels."""

    label_weight: float = Field(default=0.5, ge=0)
    """Weight of the task's own loss, on batches that have labels."""

    logit_weight: float = Field(default=1.0, ge=0)
    """Weight of KL between softened answers, or of squared distance where those are vectors or scores."""

    hidden_weight: float = Field(default=0.0, ge=0)
    """Weight of the squared difference of hidden states, each of the student's layers against the teacher's at the same
    share of its height (Jiao et al. 2019, arXiv 1909.10351). Both must be equally wide."""

    relation_weight: float = Field(default=0.0, ge=0)
    """Weight of the attention relations of both last layers (MiniLMv2: Wang et al. 2020, arXiv 2012.15828)."""

    relation_heads: int | None = Field(default=None, ge=1)
    """Heads into which queries, keys and values are split for that; null takes as many as the student has."""

    epochs: int = Field(default=5, ge=1)
    """How often the student sees every batch."""

    learning_rate: float | None = Field(default=None, gt=0)
    """Peak rate; null takes that of the recipe."""

    def refusal(self, subject: Subject) -> str | None:
        from burnish.compression.methods._students import refuse_teacher

        return refuse_teacher(self, subject)

    def apply(self, subject: Subject, material: Material) -> Subject:
        from burnish.compression.methods._students import taught

        return taught(self, subject, material)
