"""What every head does: put itself on a base."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator

from burnish.core.errors import listed
from burnish.core.parts import Part
from burnish.core.shelves import Shelf

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network


Problem = Literal["single_label_classification", "multi_label_classification", "regression"]


@dataclass(frozen=True)
class HeadPlan:
    """What a head must know. `labels` are the names of its L outputs."""

    labels: tuple[str, ...]
    problem: Problem = "single_label_classification"
    config_changes: tuple[tuple[str, Any], ...] = ()

    def changed(self, changes: tuple[tuple[str, Any], ...]) -> HeadPlan:
        """The same plan with further settings of the transformers config."""
        return replace(self, config_changes=self.config_changes + changes)

    def config_settings(self) -> dict[str, Any]:
        """Settings of the transformers config: label names both ways, kind of problem, changed dropouts."""
        return {
            "id2label": dict(enumerate(self.labels)),
            "label2id": {label: index for index, label in enumerate(self.labels)},
            "problem_type": self.problem,
            **dict(self.config_changes),
        }


Gives = Literal["rows", "entities", "tokens", "words", "spans", "vectors", "cosines"]


class Seen(NamedTuple):
    """A batch of what is known beforehand, words of labels and rows: the network's inputs, and what is wanted."""

    inputs: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]


class Head(Part, ABC):
    """`gives`: one row of logits a text, one for two entities in it, one a token (its labels, or start and end of a
    span), or a vector of length 1 a text.

    Vectors are compared by their cosine; `cosines` is a row of logits that are a text's cosines to a vector for each
    label. `words` is like tokens, for texts that are one word each. A head for entities reads `starts` [B, 2] among the
    batch's inputs.
    """

    gives: ClassVar[Gives]
    is_started: ClassVar[bool] = False
    """Whether it starts from the words of labels and from rows, so that it answers before any training."""

    @abstractmethod
    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        """The base in `folder` with this head on it. New weights are drawn from torch's current random state."""

    def start(self, network: Network, seen: Iterable[Seen]) -> None:
        """Put the new weights of an attached network where the base itself puts what is known. Most stay as drawn.

        `seen` is made as it is read: a head that leaves it costs nothing.
        """


def giving(*kinds: Gives) -> AfterValidator:
    """For a task's field `head`: refuses heads that give something else than `kinds`."""

    def check(head: Part) -> Part:
        if getattr(head, "gives", None) not in kinds:
            shelf = Shelf("heads")
            fitting = [name for name in shelf.names() if getattr(shelf.get(name), "gives", None) in kinds]
            raise ValueError(f"the head '{head.part_name}' does not fit this task; it takes: {listed(fitting)}")
        return head

    return AfterValidator(check)
