"""The proof of a shrunk bundle: texts and what was answered to them, asked again wherever it is loaded to stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

from burnish.bundle.predictor import Predictor
from burnish.core.errors import UserError
from burnish.core.files import read_json, write_json
from burnish.tasks._contract import Example, Prediction, Task

PROOF = "proof.json"
N_TEXTS = 50
N_BEGUN = 4
"""Tokens of a text that is written: rounding hardly ever changes the first, and all of them would take minutes."""
LEAST_SAME = 0.98
"""Share of the answers that must come again: processors round int8 products in different ways."""
WEAK = frozenset({"abstained", "out_of_scope", "runners_up"})
"""Fields of answers that follow from confidence."""
RANKED = frozenset({"hits", "items", "pictures", "texts", "words"})
"""Fields of answers that hold alternatives, best first."""


@dataclass(frozen=True)
class Proof:
    """Examples, and the answers of the artefact where it was made."""

    examples: Sequence[Example]
    answers: Sequence[Any]

    @classmethod
    def of(cls, predictor: Predictor, examples: Sequence[Example]) -> Proof:
        """The answers to 50 of the examples, spread evenly."""
        n = min(N_TEXTS, len(examples))
        some = [_asked(examples[at * len(examples) // n], predictor) for at in range(n)]
        return cls(some, _answers(predictor, some))

    def __post_init__(self) -> None:
        if len(self.examples) != len(self.answers) or not self.examples:
            raise ValueError(f"{len(self.examples)} examples and {len(self.answers)} answers")

    def save(self, folder: Path) -> None:
        write_json(folder / PROOF, {"examples": list(self.examples), "answers": list(self.answers)})

    def check(self, predictor: Predictor, folder: Path) -> None:
        """Ask again.

        Raises:
            UserError: the answers here are others than where the bundle was made.
        """
        try:
            found = _answers(predictor, self.examples)
        except (KeyError, TypeError, ValueError, AttributeError) as error:  # examples of no task, or of another
            raise _damaged(folder, error) from None
        n_same = sum(a == b for a, b in zip(found, self.answers, strict=True))
        if n_same < LEAST_SAME * len(found):
            raise UserError(
                f"{folder}: answers {len(found) - n_same} of {len(found)} texts otherwise on this machine than where "
                "it was shrunk; shrink the bundle that it was made from here."
            )


def proof_in(folder: Path) -> Proof | None:
    """The proof of a bundle; None for one that was not shrunk.

    Raises:
        UserError: it cannot be read.
    """
    if not (folder / PROOF).is_file():
        return None
    kept = read_json(folder / PROOF)
    try:
        return Proof(kept["examples"], kept["answers"])
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, error) from None


def _damaged(folder: Path, error: Exception) -> UserError:
    reason = f"it lacks {error}" if isinstance(error, KeyError) else f"{error}"
    return UserError(f"{folder}: its {PROOF} cannot be used ({reason}); copy the bundle again.")


def told(answer: Prediction) -> Any:
    """What an answer says, as JSON has it, without confidences and what follows from them."""
    return _without_numbers(answer.model_dump(mode="json"))


def _without_numbers(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: one for name, one in value.items() if not isinstance(one, float) and name not in WEAK}
        return {name: _without_numbers(_best(one) if name in RANKED else one) for name, one in kept.items()}
    if isinstance(value, list):
        return [_without_numbers(one) for one in value if not isinstance(one, float)]
    return value


def _best(ranked: Any) -> Any:
    return ranked[:1] if isinstance(ranked, list) else ranked


def _asked(example: Example, predictor: Predictor) -> Example:
    """An example as one that is only asked, without its gold answer and what it carries along."""
    task = predictor.task
    unlabelled = task.read(task.edge_row("a", example), is_labelled=False)
    return {name: example[name] if kept not in (None, []) else kept for name, kept in unlabelled.items()}


def _answers(predictor: Predictor, examples: Sequence[Example]) -> list[Any]:
    """Asked one by one, as whoever serves them will be: other shapes would only take memory. Of what is written, the
    beginning.
    """
    knowledge, task = predictor.knowledge, _briefly(predictor.task)
    if task is not predictor.task:
        core = cast("Any", predictor.core).asking(task)  # what writes runs in torch, whose core any state may ask
        predictor = Predictor(replace(knowledge, task=task), predictor.reader, core)
    rows = [predictor.answer([example])[0] for example in examples]
    return [told(task.decode([row], knowledge.labels, knowledge.decision)[0]) for row in rows]


def _briefly(task: Task) -> Task:
    """The task as it answers a proof: of what is written, the beginning alone."""
    how = getattr(task, "decoding", None)
    if how is None:
        return task
    begun = how.model_copy(update={"max_new_tokens": min(how.max_new_tokens, N_BEGUN)})
    return task.model_copy(update={"decoding": begun})
