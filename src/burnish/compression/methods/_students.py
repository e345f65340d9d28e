"""Students: where they start from, and how they are taught what `distill` asks for."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from burnish.compression.methods._blocks import Stack, find_stack, refuse_without_blocks, stack_of
from burnish.compression.methods._layers import keep_layers, spread
from burnish.compression.methods._states import matched_layers, projections, relation_loss, state_loss, watching
from burnish.compression.methods._teaching import TAUGHT, Compare, Teacher, soft_loss
from burnish.compression.subject import Loss, Material, Subject
from burnish.core.errors import UserError
from burnish.core.seeds import derive
from burnish.models.locate import locate
from burnish.models.network import Network
from burnish.models.tokenizer import TextTokenizer, allowed_length, load_backend
from burnish.tasks._contract import Batch

Term = Callable[[Tensor], Tensor]
"""attention_mask [B, T] → how far student and teacher are apart inside, in the forward passes just done."""

if TYPE_CHECKING:
    from burnish.compression.methods.distill import Distillation


def refuse_teacher(method: Distillation, subject: Subject) -> str | None:
    """Why a subject cannot teach."""
    if (reason := refuse_without_blocks(subject)) is not None:
        return reason
    if subject.task.head_part.gives not in TAUGHT:
        return f"what the head '{subject.task.head_part.part_name}' gives cannot be compared with a student's answers."
    n_layers = len(stack_of(subject.network))
    if method.student is None and method.layers >= n_layers:
        return f"the model has {n_layers} layers, so a student with {method.layers} would not be smaller."
    return None


def taught(method: Distillation, subject: Subject, material: Material) -> Subject:
    """The subject with a student in its network's place.

    Raises:
        UserError: the student cannot be loaded, reads other tokens, or cannot be compared as the settings say.
    """
    teacher = Teacher(subject.network)
    student = _student(method, subject, material)
    lesson = Lesson(method, teacher, soft_loss(subject, method.temperature), material.loss)
    with ExitStack() as hooks:
        loss = lesson.begin(student, hooks)
        material.learn(student, loss, epochs=method.epochs, learning_rate=method.learning_rate)
    is_plain = subject.is_plain or method.student is not None
    return subject.after(method, network=student.eval(), is_plain=is_plain)


def _student(method: Distillation, subject: Subject, material: Material) -> Network:
    if method.student is not None:
        return _from_base(method.student, subject, material)
    student = copy.deepcopy(subject.network)
    keep_layers(student, spread(len(stack_of(student)), method.layers))
    return student


def _from_base(base: str, subject: Subject, material: Material) -> Network:
    folder = locate(base).folder
    reader = subject.reader
    assert isinstance(reader, TextTokenizer), "an encoder of text reads with one"
    if load_backend(folder).get_vocab() != reader.backend.get_vocab():
        raise UserError(
            f"distill.student: '{base}' reads other tokens than the teacher; take a base with its tokenizer."
        )
    if allowed_length(folder) < reader.max_length:
        raise UserError(
            f"distill.student: '{base}' takes {allowed_length(folder)} tokens; texts have up to {reader.max_length}."
        )
    with torch.random.fork_rng([]):
        torch.manual_seed(derive(material.seed, "distill", base))
        return subject.task.head_part.attach(folder, subject.task.head_plan(subject.labels))


@dataclass(frozen=True)
class Lesson:
    """What a student is taught by."""

    method: Distillation
    teacher: Teacher
    compare: Compare
    hard: Loss

    def begin(self, student: Network, hooks: ExitStack) -> Loss:
        """The loss of the student, whose layers are watched until `hooks` are closed.

        Raises:
            UserError: student and teacher are not as wide as a comparison needs.
        """
        terms = []
        if self.method.hidden_weight:
            terms.append((self.method.hidden_weight, self._states(student, hooks)))
        if self.method.relation_weight:
            terms.append((self.method.relation_weight, self._relations(student, hooks)))

        def loss(logits: Tensor, batch: Batch) -> Tensor:
            wanted = self.teacher.logits(batch)
            total = self.method.logit_weight * self.compare(logits, wanted, batch)
            if batch.targets and self.method.label_weight:
                total = total + self.method.label_weight * self.hard(logits, batch)
            for weight, term in terms:
                total = total + weight * term(batch.inputs["attention_mask"])
            return total

        return loss

    def _stacks(self, student: Network) -> tuple[Stack, Stack]:
        own = find_stack(student)
        if own is None:
            raise UserError(
                f"distill.student: '{self.method.student}' has no blocks that can be told apart; "
                "set hidden_weight and relation_weight to 0."
            )
        return own, stack_of(self.teacher.network)

    def _states(self, student: Network, hooks: ExitStack) -> Term:
        own, other = self._stacks(student)
        widths = [stack.linears("query")[0].in_features for stack in (own, other)]
        if widths[0] != widths[1]:
            raise UserError(
                f"distill.hidden_weight: states of width {widths[0]} and {widths[1]} cannot be compared; "
                "set it to 0, relation_weight does not mind."
            )
        layers = [other.blocks[index] for index in matched_layers(len(own), len(other))]
        seen, wanted = hooks.enter_context(watching(list(own.blocks))), hooks.enter_context(watching(layers))
        return lambda mask: state_loss(seen, wanted, mask)

    def _relations(self, student: Network, hooks: ExitStack) -> Term:
        stack, other = self._stacks(student)
        lasts = [projections(stack), projections(other)]
        widths = [last[0].out_features for last in lasts]
        n_heads = self.method.relation_heads or widths[0] // stack.head_size
        if any(width % n_heads for width in widths):
            raise UserError(
                f"distill.relation_heads: {n_heads} heads do not divide the widths {widths[0]} and {widths[1]}."
            )
        seen, wanted = (hooks.enter_context(watching(last)) for last in lasts)
        return lambda mask: relation_loss(seen, wanted, mask, n_heads)
