"""Re-ranking: a cross-encoder reads a query and a text at once, which is slower and more exact than a search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from burnish.core.errors import UserError
from burnish.tasks._contract import LoadModel, Model
from burnish.tasks._index import Index, Ranking


@dataclass(frozen=True)
class Reranker:
    """A bundle of the task `matching`, and the folder that it lies in."""

    folder: Path
    model: Model

    def ranked(self, queries: Sequence[str], found: Sequence[Ranking], index: Index, n_most: int) -> list[Ranking]:
        """The first `n_most` of each ranking in the order of the model's scores; the rest is left out."""
        pairs = [
            {"text": query, "text_pair": index.texts[row]}
            for query, ranking in zip(queries, found, strict=True)
            for row in ranking.rows[:n_most]
        ]
        scores = iter(np.array([answer.score for answer in self.model.predict(pairs)], np.float32))  # type: ignore[attr-defined]
        return [_ordered(one, np.array([next(scores) for _ in one.rows[:n_most]], np.float32)) for one in found]


def open_reranker(folder: Path, load_model: LoadModel) -> Reranker:
    """The re-ranker in a bundle's folder.

    Raises:
        UserError: it is no bundle, or one of another task than matching.
    """
    model = load_model(folder)
    if model.task.part_name != "matching":
        raise UserError(
            f"task.reranker: {folder} does {model.task.part_name}; a re-ranker is a bundle of the task matching."
        )
    return Reranker(folder, model)


def _ordered(ranking: Ranking, scores: np.ndarray) -> Ranking:
    order = np.argsort(-scores, kind="stable")
    return Ranking(ranking.rows[order], scores[order], ranking.cosines[order])
