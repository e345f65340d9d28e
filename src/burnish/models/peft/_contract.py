"""What every way of tuning does: it puts what is trained on a network, and folds it into the weights afterwards."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

from burnish.core.parts import Part

if TYPE_CHECKING:
    from burnish.models.network import Network


class Peft(Part, ABC):
    """One way of tuning. A head is trained in full whatever way is chosen.

    Between `put_on` and `fold_in` the network is trained and checkpointed; before it is judged and saved it has the
    plain layout of its base again, so that no tool that reads a bundle need know how it was tuned.
    """

    keeps_base: ClassVar[bool]
    """Whether no pretrained weight is trained itself, so that there is nothing left to freeze."""

    @abstractmethod
    def put_on(self, network: Network) -> None:
        """Add what is trained, new weights drawn from torch's current random state.

        Raises:
            UserError: the base has no layer that this way of tuning can work on.
        """

    @abstractmethod
    def fold_in(self, network: Network) -> None:
        """Fold what was trained into the base's own weights: the same logits, but for rounding, in the plain layout."""
