"""What every head does: put itself on a base."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

from pydantic import AfterValidator

from burnish.core.errors import UserError, listed
from burnish.core.parts import Part
from burnish.core.shelves import Shelf

if TYPE_CHECKING:
    from torch import Tensor, nn

    from burnish.models.network import Network


Problem = Literal["single_label_classification", "multi_label_classification", "regression"]


@dataclass(frozen=True)
class TowerPlan:
    """One of several trunks: its name, which says what it reads, and the folder of its base.

    Without a folder it is where a bundle has it: the first in the model's folder, others below it by name.
    """

    name: str
    folder: Path | None = None
    config_changes: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True)
class HeadPlan:
    """What a head must know. `labels` are the names of its L outputs, `towers` the trunks where there are several,
    `sizes` those of the tables that it keeps.
    """

    labels: tuple[str, ...]
    problem: Problem = "single_label_classification"
    config_changes: tuple[tuple[str, Any], ...] = ()
    towers: tuple[TowerPlan, ...] = ()
    sizes: tuple[tuple[str, int], ...] = ()
    members: tuple[tuple[str, HeadPlan], ...] = ()
    """Name → plan of each head, where several share a trunk; then `labels` are the outputs of all of them."""

    def changed(self, changes: tuple[tuple[str, Any], ...]) -> HeadPlan:
        """The same plan with further settings of the transformers config."""
        members = tuple((name, plan.changed(changes)) for name, plan in self.members)
        return replace(self, config_changes=self.config_changes + changes, members=members)

    def config_settings(self) -> dict[str, Any]:
        """Settings of the transformers config: label names both ways, kind of problem, changed dropouts."""
        return {
            "id2label": dict(enumerate(self.labels)),
            "label2id": {label: index for index, label in enumerate(self.labels)},
            "problem_type": self.problem,
            **dict(self.config_changes),
        }


Gives = Literal[
    "rows",  # a row of logits a text
    "pairs",  # the same of two texts side by side; reads `sides` [B, T], 1 and 2 at the tokens of either text
    "entities",  # the same for two entities of a text; reads `starts` [B, 2], the tokens of their marks
    "tokens",  # a row of logits a token
    "words",  # the same, for texts that are one word each
    "spans",  # two logits a token: start and end of a span
    "vectors",  # a vector of length 1 a text, compared by cosine
    "cosines",  # a row of logits: a text's cosines to a vector for each label, which can start from words
    "preferences",  # scores of a catalogue's items, which it keeps, for users
    "next_words",  # text that goes on with what was read
    "other_words",  # text that what was read is turned into
    "hidden_words",  # words that stand where the text is masked
    "pictures",  # a row of logits a picture
    "recordings",  # a row of logits a recording
    "transcripts",  # text that is said in a recording
    "fused",  # a row of logits for what several towers read of one example
    "space",  # a vector for whatever any tower reads, comparable with every other
    "several",  # the outputs of heads that share a trunk
]
"""What a head makes of what the base reads."""


class Seen(NamedTuple):
    """A batch of what is known beforehand, words of labels and rows: the network's inputs, and what is wanted."""

    inputs: Mapping[str, Tensor]
    targets: Mapping[str, Tensor]


class Head(Part, ABC):
    """What turns the states of a base into what a task answers from."""

    gives: ClassVar[Gives]
    is_started: ClassVar[bool] = False
    """Whether it starts from the words of labels and from rows, so that it answers before any training."""

    @abstractmethod
    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        """The base in `folder` with this head on it. New weights are drawn from torch's current random state."""

    def readout(self, config: Any, plan: HeadPlan) -> nn.Module:
        """The head alone, with new weights, for a trunk with the transformers `config` that it may share with others.

        Raises:
            UserError: it cannot share one.
        """
        raise UserError(f"the head '{self.part_name}' cannot share a trunk with other heads.")

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
