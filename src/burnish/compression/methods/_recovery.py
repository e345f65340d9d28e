"""Recovery: a pruned network is trained for a while, by labels and by what the unpruned one says."""

from __future__ import annotations

from dataclasses import dataclass

from burnish.compression.methods._teaching import TAUGHT, Teacher, mixed_loss, soft_loss
from burnish.compression.subject import Loss, Material, Subject
from burnish.models.network import Network

TEMPERATURE = 2.0  # as `distill` has it


@dataclass(frozen=True)
class Recovery:
    """How long and by what a pruned network is trained: by labels alone where its answers cannot be compared."""

    epochs: int
    learning_rate: float | None
    teacher_share: float

    def of(self, pruned: Network, subject: Subject, material: Material) -> Network:
        """The `pruned` network after its training, which happens in place; `subject` is what it was made of."""
        if self.epochs:
            loss = self._loss(subject, material)
            material.learn(pruned, loss, epochs=self.epochs, learning_rate=self.learning_rate)
        return pruned.eval()

    def _loss(self, subject: Subject, material: Material) -> Loss:
        if not self.teacher_share or subject.task.head_part.gives not in TAUGHT:
            return material.loss
        compare = soft_loss(subject, TEMPERATURE)
        return mixed_loss(Teacher(subject.network), compare, material.loss, self.teacher_share)
