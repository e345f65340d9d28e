"""What every anchor does: take stock of the start before the first step, and say what it costs to move away from it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from burnish.core.events import Listener, Progress
from burnish.core.parts import Part

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

    from burnish.tasks._contract import Batch
    from burnish.training.hardware import Hardware
    from burnish.training.loop import Held
    from burnish.training.origin import Origin


@dataclass(frozen=True)
class Past:
    """The start as an anchor finds it: in the network, which is on the run's device and not trained yet."""

    network: Module
    origin: Origin
    hardware: Hardware
    seed: int
    listen: Listener

    def weights(self) -> dict[str, Tensor]:
        """Copies of the weights that will be trained, by name."""
        named = self.network.named_parameters()
        return {name: one.detach().clone() for name, one in named if one.requires_grad}

    def known_rows(self, name: str, tensor: Tensor) -> Tensor:
        """Of a tensor that is like the weight `name`, what the start had of it."""
        outputs = self.origin.outputs
        return tensor if outputs is None or name not in self.origin.by_output else tensor[list(outputs)]

    def known_logits(self, logits: Tensor) -> Tensor:
        """Of logits [..., K] those of the outputs that the start had."""
        return logits if self.origin.outputs is None else logits[..., list(self.origin.outputs)]

    def old_batches(self) -> Iterator[Batch]:
        """The rows that the start knew, batch after batch on the run's device; progress is told."""
        assert self.origin.old is not None, "an anchor that reads rows is given some"
        n = self.origin.old.n_batches(0)
        for number in range(n):
            yield self.old_batch(number)
            self.listen(Progress("remember", number + 1, n, "batches"))

    def old_batch(self, number: int) -> Batch:
        """One of them: the same rows, drawn the same way, whenever it is read."""
        assert self.origin.old is not None, "an anchor that reads rows is given some"
        return self.hardware.place(self.origin.old.read(0, number))


class Anchor(Part, ABC):
    """One way of not forgetting. All that it keeps is computed anew, and alike, when a run is resumed."""

    holds_weights: ClassVar[bool] = False
    """Whether it holds on to weights, so that there must be some that are trained themselves."""
    is_row_by_row: ClassVar[bool] = False
    """Whether it wants each row that it reads as a batch of its own."""

    @property
    def most_rows(self) -> int:
        """Most rows that it reads of those that the start knew; 0: it reads none."""
        return 0

    @abstractmethod
    def hold(self, past: Past) -> Held | None:
        """What it holds on to while the network is trained; None: nothing.

        The weights stay as they are. What is random depends on the seed, the epoch and the batch alone.
        """
