"""Several tasks as one: what flows must know of them to prepare, judge and report each as if it were alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.recipe.schema import DataSection
    from burnish.tasks._contract import Answered, Example, Task


class Member(NamedTuple):
    """One of several tasks that share a model, and the rows that it learns from: a finished model has none."""

    task: Task
    data: DataSection | None


class Joint(Protocol):
    """Several tasks that share a model, as flows see them: each is prepared, calibrated and judged as if it were alone.

    A word of a member is said as `member/word` (see `core.members`): its labels, scores, gates, class weights.
    """

    @property
    def members(self) -> Mapping[str, Member]: ...

    @property
    def start(self) -> Path | None:
        """A bundle whose trunk and tasks stay as they are, and beside which these are put; None for a new model."""

    def beside(self, new: Task) -> Task:
        """These members and those of `new`, of one model.

        Raises:
            UserError: they are too many.
        """

    def settled(self, tasks: Mapping[str, Task], texts: Mapping[str, Sequence[str]]) -> Task:
        """The whole with each member's task as its rows decided it, and the columns of `Task.texts` that they fill."""

    def example_of(self, member: str, example: Example) -> Example:
        """A member's example as one of the whole."""

    def texts_of(self, example: Example) -> dict[str, str]:
        """The texts of a member's labelled row, by their columns: an input that others may answer too."""

    def answered_by(self, member: str, answered: Sequence[Answered], labels: tuple[str, ...]) -> list[Answered]:
        """Those rows that a member is asked about, as its own task knows them. `labels` are those of the whole."""
