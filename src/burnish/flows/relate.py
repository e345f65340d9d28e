"""`relate`: find the entities of a text with one model, then tell the relation of every pair with another."""

from __future__ import annotations

from itertools import combinations, permutations
from pathlib import Path
from typing import cast

from burnish.bundle.predictor import Predictor, load_predictor
from burnish.core.errors import UserError
from burnish.metrics._relations import has_direction
from burnish.tasks._choices import Classified
from burnish.tasks._contract import AnswerPart, Task
from burnish.tasks.relations import Relations
from burnish.tasks.tokens import FoundSpan, Tagged, Tokens


class Related(AnswerPart):
    """Two entities of a text and the relation between them."""

    head: FoundSpan
    """The first entity."""
    tail: FoundSpan
    """The second entity."""
    label: str
    """Name of the relation."""
    confidence: float
    """Calibrated probability of the relation, 0 to 1, as if both entities were certain."""
    abstained: bool
    """Whether the confidence is below the threshold that keeps the wanted precision."""


def relate(tokens: str | Path | Predictor, relations: str | Path | Predictor, text: str) -> list[Related]:
    """Every ordered pair of entities that `tokens` finds in a text and between which `relations` sees a relation.

    Each pair is asked in both orders. Where the labels themselves tell the direction, as SemEval's `X(e2,e1)` do, the
    model has learned pairs in text order only, and each is asked once, in that order. Who asks often passes predictors
    from `burnish.load` in place of folders.

    Raises:
        UserError: a bundle cannot be used, or is of another task.
    """
    finder, relater = _model(tokens, Tokens, "first"), _model(relations, Relations, "second")
    spans = cast("Tagged", finder(text)).spans
    is_directed = any(map(has_direction, relater.knowledge.labels))
    pairs = list((combinations if is_directed else permutations)(spans, 2))
    asked = [{"text": text, **{name: [one.start, one.end] for name, one in _roles(pair)}} for pair in pairs]
    none = cast("Relations", relater.knowledge.task).no_relation
    answers = (cast("Classified", answer) for answer in relater.predict(asked))
    return [
        Related(**dict(_roles(pair)), label=one.label, confidence=one.confidence, abstained=one.abstained)
        for pair, one in zip(pairs, answers, strict=True)
        if one.label != none
    ]


def _roles(pair: tuple[FoundSpan, ...]) -> list[tuple[str, FoundSpan]]:
    return list(zip(("head", "tail"), pair, strict=True))


def _model(bundle: str | Path | Predictor, task: type[Task], place: str) -> Predictor:
    predictor = bundle if isinstance(bundle, Predictor) else load_predictor(bundle)
    own = predictor.knowledge.task
    if not isinstance(own, task):
        wanted = task.__module__.rpartition(".")[2]
        raise UserError(f"relate: the {place} model must be of the task '{wanted}'; this one is of '{own.part_name}'.")
    return predictor
