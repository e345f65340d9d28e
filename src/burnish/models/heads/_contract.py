"""What every head does: put itself on a base."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from burnish.core.parts import Part

if TYPE_CHECKING:
    from burnish.models.network import Network


@dataclass(frozen=True)
class HeadPlan:
    """What a head must know. `labels` are the names of its L outputs."""

    labels: tuple[str, ...]
    is_multilabel: bool = False
    config_changes: tuple[tuple[str, Any], ...] = ()

    def changed(self, changes: tuple[tuple[str, Any], ...]) -> HeadPlan:
        """The same plan with further settings of the transformers config."""
        return replace(self, config_changes=self.config_changes + changes)

    def config_settings(self) -> dict[str, Any]:
        """Settings of the transformers config: label names both ways, kind of problem, changed dropouts."""
        kind = "multi_label_classification" if self.is_multilabel else "single_label_classification"
        return {
            "id2label": dict(enumerate(self.labels)),
            "label2id": {label: index for index, label in enumerate(self.labels)},
            "problem_type": kind,
            **dict(self.config_changes),
        }


class Head(Part, ABC):
    """`gives` says whether there is one row of logits a text, or one a token."""

    gives: ClassVar[Literal["rows", "tokens"]]

    @abstractmethod
    def attach(self, folder: Path, plan: HeadPlan) -> Network:
        """The base in `folder` with this head on it. New weights are drawn from torch's current random state."""
