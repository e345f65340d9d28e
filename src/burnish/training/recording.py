"""Tells the recorders of a run what happens. A dashboard that is down costs its own record, never the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from burnish.core.errors import UserError
from burnish.core.events import Listener, Message
from burnish.training.observers._contract import Observer, Recorder, RunInfo
from burnish.training.steps import Step


@dataclass
class Recording:
    """Recorders by the name of their part. One that fails is dropped with a warning."""

    listen: Listener
    recorders: list[tuple[str, Recorder]] = field(default_factory=list)

    def step(self, step: Step) -> None:
        self._tell(lambda recorder: recorder.step(step))

    def epoch(self, number: int, scores: Mapping[str, float]) -> None:
        self._tell(lambda recorder: recorder.epoch(number, scores))

    def close(self) -> None:
        self._tell(lambda recorder: recorder.close())

    def _tell(self, what: Callable[[Recorder], None]) -> None:
        """A full disk is not the recorder's own trouble: the next checkpoint would meet it too."""
        for pair in list(self.recorders):
            name, recorder = pair
            try:
                what(recorder)
            except UserError:
                raise
            except Exception as error:
                self.recorders.remove(pair)
                text = f"train.observers: {name} failed and records no more of this run ({error}); training goes on."
                self.listen(Message(text, "warning"))


@contextmanager
def recording(observers: Sequence[Observer], info: RunInfo, listen: Listener) -> Iterator[Recording]:
    """Within, the observers record the run; afterwards they are closed, whatever happened.

    Raises:
        UserError: an observer cannot start: better told now than found out after the run.
    """
    told = Recording(listen)
    try:
        for observer in observers:
            told.recorders.append((observer.part_name, observer.open(info)))
        yield told
    finally:
        told.close()
