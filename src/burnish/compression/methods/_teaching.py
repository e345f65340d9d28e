"""A student is asked what its teacher answers: the losses of knowledge distillation between logits."""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional

from burnish.compression.subject import Loss, Subject
from burnish.models.network import Network
from burnish.tasks._contract import Batch

Compare = Callable[[Tensor, Tensor, Batch], Tensor]
"""(logits of the student, of the teacher, batch) → how far they are apart, a scalar."""

TAUGHT = frozenset({"rows", "pairs", "entities", "tokens", "words", "spans", "vectors", "cosines"})
"""What heads give whose logits can be compared."""


class Teacher:
    """A copy of a network that only answers, in evaluation mode and without gradients."""

    def __init__(self, network: Network) -> None:
        self.network = copy.deepcopy(network).eval().requires_grad_(False)

    def logits(self, batch: Batch) -> Tensor:
        device = next(iter(batch.inputs.values())).device
        with torch.no_grad():
            logits: Tensor = self.network.to(device)(**batch.inputs)
        return logits.float()


def soft_loss(subject: Subject, temperature: float) -> Compare:
    """How the logits of a subject's head are compared, by what it gives and the kind of its problem."""
    gives = subject.task.head_part.gives
    problem = subject.task.head_plan(subject.labels).problem
    if gives == "vectors" or problem == "regression":
        return _squared
    if gives == "spans":
        return lambda student, teacher, batch: _divergence(
            _over_places(student, batch), _over_places(teacher, batch), temperature
        )
    if problem == "multi_label_classification":
        return lambda student, teacher, batch: _two_sided(student, teacher, temperature)
    return lambda student, teacher, batch: _divergence(_real(student, batch), _real(teacher, batch), temperature)


def mixed_loss(teacher: Teacher, compare: Compare, hard: Loss, share: float) -> Loss:
    """`share` of what the teacher says and the rest of `hard`, the loss of labels, where the batch has any."""

    def loss(logits: Tensor, batch: Batch) -> Tensor:
        soft = compare(logits, teacher.logits(batch), batch)
        return share * soft + (1 - share) * hard(logits, batch) if batch.targets else soft

    return loss


def _divergence(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """T² KL of the softened softmax, mean over rows [N, L] (Hinton et al. 2015, arXiv 1503.02531, §2)."""
    given = functional.log_softmax(student / temperature, dim=-1)
    wanted = functional.log_softmax(teacher / temperature, dim=-1)
    return functional.kl_div(given, wanted, log_target=True, reduction="batchmean") * temperature**2


def _two_sided(student: Tensor, teacher: Tensor, temperature: float) -> Tensor:
    """The same for labels that are each given or not: T² KL of every label's softened sigmoid, summed in each row."""
    wanted = torch.sigmoid(teacher / temperature)
    apart = functional.binary_cross_entropy_with_logits(student / temperature, wanted, reduction="sum")
    least = functional.binary_cross_entropy_with_logits(teacher / temperature, wanted, reduction="sum")
    return (apart - least) / len(student) * temperature**2


def _squared(student: Tensor, teacher: Tensor, batch: Batch) -> Tensor:
    """Squared distance, mean over rows."""
    return (student - teacher).square().sum(-1).mean()


def _real(logits: Tensor, batch: Batch) -> Tensor:
    """[N, L]: rows as they are, of logits [B, T, L] those of real tokens."""
    return logits[batch.inputs["attention_mask"].bool()] if logits.ndim == 3 else logits


def _over_places(logits: Tensor, batch: Batch) -> Tensor:
    """[2 B, T]: starts and ends over the real tokens of each text."""
    padding = batch.inputs["attention_mask"].unsqueeze(-1) == 0
    lowest = -1e4  # as good as never, and no infinity, whose difference from itself is no number
    return logits.masked_fill(padding, lowest).transpose(1, 2).flatten(0, 1)
