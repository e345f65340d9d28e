"""`converse`: a talk of many turns with a bundle, which is told again what was said before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from burnish.bundle.predictor import Predictor, load_predictor
from burnish.core.errors import UserError, listed
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Prediction

TURNS = "messages"


class Conversation:
    """A talk under way. `messages` are its turns, oldest first, each with `role` and `content`.

    How many of them the bundle still reads is its task's to say; here nothing is forgotten.
    """

    def __init__(self, predictor: Predictor, system: str = "") -> None:
        self.predictor = predictor
        self.messages: list[dict[str, str]] = [{"role": "system", "content": system}] if system else []
        self._opening = list(self.messages)

    def __call__(self, said: str) -> Prediction:
        """The whole answer to what is said next.

        Raises:
            UserError: nothing is said.
        """
        turns = self._with(said)
        answer: Any = self.predictor({TURNS: turns})
        self.messages = [*turns, {"role": "assistant", "content": answer.text}]
        return answer  # type: ignore[no-any-return]

    def stream(self, said: str) -> Iterator[str]:
        """The answer piece by piece. It stands in `messages` once it is complete, or as far as it was read."""
        turns, told = self._with(said), ""
        try:
            for piece in self.predictor.stream({TURNS: turns}):
                told += piece
                yield piece
        finally:
            self.messages = [*turns, {"role": "assistant", "content": told}] if told else turns[:-1]

    def reset(self) -> None:
        """Forget everything that was said; what the talk was opened with stays."""
        self.messages = list(self._opening)

    def _with(self, said: str) -> list[dict[str, str]]:
        if not isinstance(said, str) or not said.strip():
            raise UserError("what is said next must be a text that is not empty.")
        return [*self.messages, {"role": "user", "content": said}]


def converse(bundle: str | Path | Predictor, *, system: str = "") -> Conversation:
    """A new talk with a bundle; `system` is what it is told first, in place of the recipe's own words.

    Raises:
        UserError: the bundle cannot be used, or its task does not read turns.
    """
    predictor = bundle if isinstance(bundle, Predictor) else load_predictor(bundle)
    if not _reads_turns(predictor.task.wanted):
        shelf = Shelf("tasks")
        able = [name for name in shelf.names() if _reads_turns(getattr(shelf.get(name), "wanted", ()))]
        raise UserError(
            f"a bundle of the task '{predictor.task.part_name}' cannot converse; take one of: {listed(able)}."
        )
    return Conversation(predictor, system)


def _reads_turns(wanted: Any) -> bool:
    return any(item.name == TURNS for item in wanted)
