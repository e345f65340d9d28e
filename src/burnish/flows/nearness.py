"""Which corrected inputs are near to each other: the guard weighs a correction against what others say of its like."""

from __future__ import annotations

from collections.abc import Sequence

from burnish.bundle.predictor import Predictor
from burnish.flows.recording import vector_of
from burnish.store.home import Home
from burnish.store.records import Prediction


def fill_vectors(home: Home, name: str, predictor: Predictor) -> None:
    """Keep the shares of each corrected input that was kept without: in service only a tenth is kept with them."""
    said = {one.prediction for one in home.corrections.of_period(name, states=("accepted",))}
    known = home.predictions.answered_in(sorted(said)).values()
    bare = [one for one in known if one.vector is None and isinstance(one.input, dict)]
    for start in range(0, len(bare), predictor.task.rows_at_once):
        home.predictions.put_vectors(_vectors(predictor, bare[start : start + predictor.task.rows_at_once]))


def _vectors(predictor: Predictor, some: Sequence[Prediction]) -> dict[str, list[float]]:
    task = predictor.task
    if task.files or task.joint is not None:
        return {}
    answered = predictor.answer([task.read(one.input, is_labelled=False) for one in some])
    found = {one.id: vector_of(row) for one, row in zip(some, answered, strict=True)}
    return {identity: vector for identity, vector in found.items() if vector is not None}
