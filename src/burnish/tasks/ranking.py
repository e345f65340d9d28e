"""Recommend from a catalogue: the items that suit a user best, by what the user liked before.

Items are known by their texts, by further features, and by who liked them; a user by a history of items. Both become
vectors whose product says how well they fit. What nobody has liked yet is ranked by its text and features, and who has
no history yet gets what is liked by others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr

from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, Progress
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._ranked import WORDS_SHOWN, RankedOutcome
from burnish.metrics._recommended import RecommendedOutcome, auc_of_places
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.models.heads.preference import PreferenceHead
from burnish.tasks._catalogue import Catalogue, Traits, open_catalogue, traits_of
from burnish.tasks._contract import (
    Answered,
    AnswerPart,
    Batch,
    Collated,
    Decision,
    Encoded,
    Example,
    Feature,
    Line,
    LoadModel,
    Located,
    Prediction,
    Run,
    Task,
)
from burnish.tasks._corpus import read_corpus
from burnish.tasks._histories import read_row
from burnish.tasks._preferences import batch_of, item_features, preference_loss, row_feature, text_features, with_drawn
from burnish.tasks._recommending import Asked, Ranked, Stages, open_vectors

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network
    from burnish.models.tokenizer import TextTokenizer

TEXTS_AT_ONCE = 2048
ALL_UP_TO = 20_000  # items that a row is compared with at once, as one product of matrices, before some are drawn
DRAWN = 16


class RecommendedItem(AnswerPart):
    """One item that suits the user."""

    id: str
    """The name of its row in the catalogue."""
    text: str
    """Its text."""
    score: float
    """What it was ranked by; higher suits better. It can be compared within one answer only."""
    payload: dict[str, Any]
    """The further columns of its row."""


class Recommended(Prediction):
    """The answer for one user."""

    items: list[RecommendedItem]
    """The items that suit best, best first; none that the history holds."""
    unknown: list[str]
    """Ids of the history that the catalogue does not have, and that were left out."""

    def lines(self) -> list[Line]:
        found = [Line(f"{one.text}  [{one.id}] {one.score:.3f}") for one in self.items]
        return [*found, *(Line(f"not in the catalogue: {name}") for name in self.unknown)]


class Ranking(Task):
    """A ranking of a catalogue for each user."""

    wanted = (
        Wanted("history", False, "ids of what the user liked before, the oldest first"),
        Wanted("item", True, "the id of what the user liked next, or a list of ids"),
        Wanted("negatives", False, "ids of what was shown to the user then and not chosen"),
        Wanted("among", False, "ids of what may be recommended then, if not all"),
        Wanted("time", False, "when that was: a number or an ISO date"),
        Wanted("user", False, "who that was"),
    )
    texts = ("history",)
    example_input = "an id, another id"
    gold = frozenset({"item", "negatives"})
    judged_as = RecommendedOutcome
    best_by = "ndcg_at_10"
    least_labels = 0
    answer = Recommended

    head: Annotated[Part, Shelf("heads"), giving("preferences")] = Field(default="preference", validate_default=True)
    """A head that gives vectors of users and items: preference."""

    items: str | list[str] | dict[str, Any] | None = None
    """The catalogue: a file, several, or a source with settings. Columns: `id`, `text`; `more`, which is read with the
    text; an answer gives all others back."""

    items_columns: dict[str, str] = Field(default_factory=dict)
    """What is read from the catalogue → the column that holds it, e.g. `{id: movieId, text: title, more: genres}`."""

    categories: list[str] = Field(default_factory=list)
    """Columns of the catalogue that hold categories: lists, or texts with `|` between them, such as genres."""

    numbers: list[str] = Field(default_factory=list)
    """Columns of the catalogue that hold numbers, such as a year or a price."""

    negatives: int | None = Field(default=None, ge=1)
    """How many items, drawn anew each time, a training row is compared with, together with those drawn for the other
    rows of its batch; null compares with all where there are at most 20,000, else draws 16."""

    negatives_by: Literal["likes", "even"] = "likes"
    """How they are drawn: popular items more often (by likes to the power of 0.75), or all alike."""

    half_life: float = Field(default=0.1, gt=0)
    """After which share of the whole time of training a like counts half in an item's recent popularity."""

    second_stage: Literal["auto", "off"] = "auto"
    """Whether the best items are put in order anew by a mix of their scores, texts, categories and popularity, with
    weights chosen on dev; `auto` keeps it only where it helps on dev rows that it was not fitted on."""

    top: int = Field(default=10, ge=1, le=100)
    """How many items an answer has."""

    _catalogue: Catalogue | None = PrivateAttr(default=None)
    _traits: Traits | None = PrivateAttr(default=None)
    _texts: NDArray[np.float32] | None = PrivateAttr(default=None)
    _stages: Stages | None = PrivateAttr(default=None)

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    @property
    def catalogue(self) -> Catalogue:
        """What is recommended from; of an opened or restored task."""
        assert self._catalogue is not None, "the catalogue was not opened"
        return self._catalogue

    @property
    def traits(self) -> Traits:
        assert self._traits is not None, "the catalogue was not opened"
        return self._traits

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        categories, numbers = self.traits.categories, self.traits.numbers
        sizes = {
            "items": len(self.catalogue),
            "categories": len(self.traits.names),
            "most_categories": categories.shape[1],
            "numbers": numbers.shape[1],
        }
        return HeadPlan((), problem="regression", sizes=tuple(sizes.items()))

    def arrow_fields(self) -> dict[str, str]:
        lists = dict.fromkeys(("history", "items", "negatives", "among"), "list<int32>")
        return {"text": "string", "content": "string", **lists, "time": "double", "unknown": "list<string>"}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    # reading and encoding

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        return read_row(values, self.catalogue, is_labelled)

    def encode(self, examples: Sequence[Example], reader: Any, labels: tuple[str, ...]) -> list[Encoded]:
        n_read = cast("PreferenceHead", self.head).history
        return [
            Encoded([row_feature(one["history"], n_read, one["items"], one["negatives"])], len(one["history"]))
            for one in examples
        ]

    # training

    def started(self, network: Network, reader: Any, run: Run, rows: Iterable[Example], listen: Listener) -> Ranking:
        liked = ((row["items"], row["time"]) for row in rows)
        catalogue = self.catalogue.counted(liked, self.half_life)
        texts = self._vectors_of(catalogue.read, reader, run, listen)
        import torch

        columns = (texts, self.traits.categories.astype(np.int64), self.traits.numbers, catalogue.likes)
        network.readout.fill(*(torch.from_numpy(np.asarray(column)) for column in columns))  # type: ignore[union-attr, operator]
        return self._with(catalogue, texts, None)

    def _vectors_of(
        self, texts: Sequence[str], tokenizer: TextTokenizer, run: Run, listen: Listener
    ) -> NDArray[np.float32]:
        """[N, H] of length 1."""
        pieces: list[NDArray[np.float32]] = []
        n_cut = 0
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            features, n = text_features(texts[start : start + TEXTS_AT_ONCE], tokenizer)
            pieces += run(features)
            n_cut += n
            listen(Progress("catalogue", len(pieces), len(texts), "texts"))
        if n_cut:
            longer = (
                f"{n_cut:,} of {len(texts):,} texts are longer than the {tokenizer.max_length} tokens that are read"
            )
            listen(Message(f"task.items: {longer}; their ends play no part.", "warning"))
        return np.stack(pieces).astype(np.float32)

    @property
    def _weights(self) -> NDArray[np.float64]:
        """[N] by which items are drawn. Those that nobody liked may not have been there yet, so they are left out."""
        likes = self.catalogue.likes
        if likes is None or not likes.any():
            return np.ones(len(self.catalogue))
        return np.asarray(likes**0.75 if self.negatives_by == "likes" else likes > 0, np.float64)

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        n = self.negatives or (None if len(self.catalogue) <= ALL_UP_TO else DRAWN)
        return features if n is None else with_drawn(features, n, self._weights, draw)

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        return batch_of(features, pad_id, self._weights)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return preference_loss(logits.float(), batch.targets, smoothing)

    def ask(self, network: Network, batch: Batch) -> Tensor:
        """Vectors of what the batch holds; users are compared with items later."""
        inputs = {name: tensor for name, tensor in batch.inputs.items() if name != "candidates"}
        vectors: Tensor = network(**inputs)
        return vectors

    # answers

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # a place in a ranking is no probability

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> RecommendedOutcome:
        found = self._ranked(answered)
        names, texts = self.catalogue.ids, self.catalogue.texts
        gold = [row.example["items"] for row in answered]
        ranked = RankedOutcome.of(
            [[names[item] for item in wanted] for wanted in gold],
            [[names[item] for item in one.items.tolist()] for one in found],
        )
        shown = replace(
            ranked,
            gold_texts=[[texts[item] for item in wanted[:WORDS_SHOWN]] for wanted in gold],
            found_texts=[[texts[item] for item in one.items[:WORDS_SHOWN].tolist()] for one in found],
        )
        n_ranked = np.array([one.n for one in found], np.int64)
        return RecommendedOutcome(shown, auc_of_places([one.places for one in found], n_ranked))

    def decode(
        self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision
    ) -> Sequence[Recommended]:
        return [
            Recommended(items=self._items(found), unknown=row.example["unknown"])
            for row, found in zip(answered, self._ranked(answered), strict=True)
        ]

    def _items(self, found: Ranked) -> list[RecommendedItem]:
        catalogue = self.catalogue
        best = zip(found.items[: self.top].tolist(), found.scores[: self.top].tolist(), strict=True)
        return [
            RecommendedItem(id=catalogue.ids[at], text=catalogue.texts[at], score=score, payload=catalogue.payload(at))
            for at, score in best
        ]

    def _ranked(self, answered: Sequence[Answered]) -> list[Ranked]:
        if not answered:
            return []
        assert self._stages is not None, "the items have no vectors yet"
        return list(self._stages.ranked(_asked(answered)))

    # the catalogue

    def opened(self, located: Located, load_model: LoadModel) -> Ranking:
        if self.items is None:
            raise UserError(
                "task.items is missing: the file with what is recommended, e.g. "
                "task: {name: ranking, items: films.csv}."
            )
        rows = read_corpus(located("items"), self.items_columns, {}, "task.items")
        if len(rows.ids) < 2:
            raise UserError("task.items: has one item only, so there is nothing to choose; give two or more.")
        return self._with(Catalogue.of(rows), None, None)

    def _with(self, catalogue: Catalogue, texts: NDArray[np.float32] | None, stages: Stages | None) -> Ranking:
        known = self.model_copy()
        known._traits = self._traits or traits_of(catalogue, self.categories, self.numbers)
        known._catalogue, known._texts, known._stages = catalogue, texts, stages
        return known

    def refreshed(self, run: Run) -> Ranking:
        likes, recent = self.catalogue.likes, self.catalogue.recent
        assert self._texts is not None, "the base has not read the catalogue yet"
        assert likes is not None, "the training rows were not counted"
        assert recent is not None, "the training rows were not counted"
        vectors = np.stack(run(item_features(len(self.catalogue)))).astype(np.float32)
        stages = Stages(vectors, self._texts, self.traits.categories, likes.astype(float), recent)
        return self._with(self.catalogue, self._texts, stages)

    def completed(self, reader: Any, run: Run, listen: Listener) -> Ranking:
        return self.refreshed(run)

    def tuned(self, dev: Sequence[Answered]) -> Ranking:
        if self.second_stage == "off":
            return self
        assert self._stages is not None, "the items have no vectors yet"
        return self._with(self.catalogue, self._texts, self._stages.tuned(_asked(dev)))

    def keep(self, folder: Path) -> None:
        assert self._stages is not None, "the items have no vectors yet"
        self.catalogue.save(folder)
        self._stages.save(folder)

    def restored(self, folder: Path, load_model: LoadModel) -> Ranking:
        catalogue = open_catalogue(folder)
        known = self._with(catalogue, None, None)
        return known._with(catalogue, *known._kept(folder))

    def _kept(self, folder: Path) -> tuple[NDArray[np.float32], Stages]:
        vectors, texts, weights = open_vectors(folder)
        likes, recent = self.catalogue.likes, self.catalogue.recent
        assert likes is not None, "they are a column of the file"
        assert recent is not None, "they are a column of the file"
        return texts, Stages(vectors, texts, self.traits.categories, likes.astype(float), recent, weights)


def _asked(answered: Sequence[Answered]) -> Asked:
    lists = [[row.example[name] for row in answered] for name in ("history", "items", "among")]
    return Asked(np.stack([row.outputs[0] for row in answered]), *lists)
