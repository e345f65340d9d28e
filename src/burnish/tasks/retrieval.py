"""Find the best texts of a corpus for a query: answers to frequent questions, documents.

A bi-encoder gives every text and every query a vector of length 1; texts are searched by the cosine of vectors and by
the words they share with the query (BM25), and both scores are added. It works on a base as it is, without a training
row; rows of queries with the text that they should find make the base better at it.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PrivateAttr

from burnish.core.errors import UserError
from burnish.core.events import Listener, Progress
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._ranked import WORDS_SHOWN, RankedOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
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
from burnish.tasks._contrast import among_themselves, code_of, passages_of, targets_of
from burnish.tasks._corpus import read_corpus, unknown_id
from burnish.tasks._index import Index, Ranking, open_index
from burnish.tasks._pairs import choice_loss, pad_apart, side_by_side
from burnish.tasks._reranking import Reranker, open_reranker
from burnish.tasks._rows import is_missing, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

RERANKER = "reranker"
TEXTS_AT_ONCE = 4096


class Hit(AnswerPart):
    """One text that was found."""

    id: str
    """The name of its row in the corpus."""
    text: str
    """The text."""
    score: float
    """What it was ranked by: 1 is the most that words and vectors can give; a re-ranker's score where there is one."""
    similarity: float
    """Cosine of its vector with the query's; unlike the score, it can be compared between queries."""
    payload: dict[str, Any]
    """The further columns of its row."""


class Retrieved(Prediction):
    """The answer for one query."""

    hits: list[Hit]
    """What was found, best first."""

    def lines(self) -> list[Line]:
        return [Line(f"{one.text}  [{one.id}] {one.score:.3f}") for one in self.hits]


class Retrieval(Task):
    """A ranking of a corpus for each query."""

    wanted = (
        Wanted("query", True, "what is asked"),
        Wanted("passage", False, "a text of the corpus that the query should find"),
        Wanted("id", False, "the id of that text, or a list of ids"),
        Wanted("negative", False, "a text that looks right and is not"),
    )
    texts = ("query",)
    gold = frozenset({"passage", "id", "negative"})
    judged_as = RankedOutcome
    best_by = "mrr"
    least_labels = 0
    answer = Retrieved
    untrained_needs = "a corpus"

    head: Annotated[Part, Shelf("heads"), giving("vectors")] = Field(default="vector", validate_default=True)
    """A head that gives a vector a text: vector."""

    corpus: str | list[str] | dict[str, Any] | None = None
    """The texts to search: a file, several, or a source with settings. Columns: `text`; `id`, else rows are numbered;
    `more`, a text that is searched too; a hit gives all others back. `burnish index` adds and deletes rows later."""

    corpus_columns: dict[str, str] = Field(default_factory=dict)
    """What is read from the corpus → the column that holds it, e.g. `{text: question, more: answer}`."""

    passage_prompt: str | None = None
    """Put before texts of the corpus in place of `data.prompt`, as E5 bases want `passage: ` beside `query: `."""

    vector_share: float = Field(default=0.5, ge=0, le=1)
    """Share of the vectors in the score; words (BM25) have the rest. 1 searches by vectors only, 0 by words only."""

    search: Literal["exact", "faiss"] = "exact"
    """exact compares every text; faiss those whose vectors lie in the lists next to the query's, and those that have
    its words: for corpora of 100,000 texts and more. Wants `pip install 'burnish[faiss]'`."""

    top: int = Field(default=10, ge=1, le=100)
    """How many hits an answer has."""

    reranker: str | None = None
    """A bundle of the task `matching` that puts the first `rerank` hits in a better order; copied into this bundle."""

    rerank: int = Field(default=20, ge=1, le=100)
    """How many hits the re-ranker reads for each query; those below are left out."""

    _index: Index | None = PrivateAttr(default=None)
    _reranker: Reranker | None = PrivateAttr(default=None)

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    @property
    def needs_rows(self) -> bool:
        return False

    @property
    def index(self) -> Index:
        """What is searched; of an opened or restored task."""
        assert self._index is not None, "the corpus was not opened"
        return self._index

    @property
    def is_complete(self) -> bool:
        """Whether there are vectors to search."""
        return self._index is not None and self._index.vectors is not None

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(("vector",), problem="regression")

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "passage": "string", "negative": "string", "ids": "list<string>"}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    # reading and encoding

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        query = text_of(values, "query", is_labelled)
        if not is_labelled:
            return {"text": query, "passage": None, "negative": None, "ids": []}
        ids, passage = _ids_of(values.get("id")), text_of(values, "passage", is_labelled=False)
        if not ids and not passage.strip():
            raise ValueError(
                "the row has neither 'passage' nor 'id'; give the text, or the id, that the query should find."
            )
        if self._index is not None:
            if not ids:
                ids, passage = self._ids_of_passage(passage), ""
            passage = passage or self._index.searched[self._row_of(ids)]
        negative = text_of(values, "negative", is_labelled=False)
        return {"text": query, "passage": passage, "negative": negative or None, "ids": ids}

    def _ids_of_passage(self, passage: str) -> list[str]:
        ids = self.index.ids_of_text.get(passage.strip(), [])
        if not ids:
            raise ValueError(
                "'passage' is no text of the corpus; correct it, give the row's 'id', or add it to the corpus."
            )
        return list(ids)

    def _row_of(self, ids: Sequence[str]) -> int:
        """The row of the first id, when all of them are known."""
        for name in ids:
            if name not in self.index.row_of:
                raise ValueError(unknown_id(name, self.index.row_of))
        return self.index.row_of[ids[0]]

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        """The query, and while the corpus has no vectors yet the texts that it is compared with."""
        apart = [[] if self.is_complete else passages_of(example) for example in examples]
        queries = tokenizer.ids([example["text"] for example in examples])
        passages = iter(self._for_passages(tokenizer).ids([text for texts in apart for text in texts]))
        encoded = []
        for query, texts in zip(queries, apart, strict=True):
            one = side_by_side([query, *(next(passages) for _ in texts)])
            one.features[0]["codes"] = np.array([code_of(text) for text in texts], np.int32)
            encoded.append(one)
        return encoded

    def _for_passages(self, tokenizer: TextTokenizer) -> TextTokenizer:
        return tokenizer if self.passage_prompt is None else replace(tokenizer, prompt=self.passage_prompt)

    # training

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_apart(features, pad_id)
        rows_each = [len(feature["n_each"]) for feature in features]
        targets = targets_of(rows_each, features) if min(rows_each) > 1 else {}
        return Collated(inputs, targets, len(features), n_tokens, rows_each)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        """Cross-entropy of each query's own text among all texts of the batch (Henderson et al. 2017, §4.4).

        The same text in another row of the batch is right too, so it is put out of the way, to the least cosine.
        """
        vectors, targets = logits.float(), batch.targets
        cosines = vectors[targets["queries"]] @ vectors[targets["passages"]].T  # [B, P]
        return choice_loss(cosines.masked_fill(targets["is_twin"], -1.0), targets["own"], smoothing)

    # answers

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None  # a place in a ranking is no probability

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> RankedOutcome:
        """The corpus ranked for each query; while training, when it has no vectors, only the rows' own texts are."""
        if not self.is_complete:
            return among_themselves(answered)
        index = self.index
        found = self._search(answered)
        gold = [row.example["ids"] for row in answered]
        ranked = RankedOutcome.of(gold, [[index.ids[row] for row in one.rows] for one in found])
        texts = [[index.texts[index.row_of[name]] for name in ids[:WORDS_SHOWN]] for ids in gold]
        return replace(ranked, gold_texts=texts, found_texts=[_first_texts(one, index) for one in found])

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Retrieved]:
        if not self.is_complete:
            return [Retrieved(hits=[]) for _ in answered]
        return [Retrieved(hits=self._hits(one)) for one in self._search(answered)]

    def _search(self, answered: Sequence[Answered]) -> list[Ranking]:
        if not answered:
            return []
        index, queries = self.index, [str(row.example["text"]) for row in answered]
        is_exact = self.search == "exact"
        found = index.search(queries, _vectors(answered, index), self.vector_share, is_exact=is_exact)
        return found if self._reranker is None else self._reranker.ranked(queries, found, index, self.rerank)

    def _hits(self, found: Ranking) -> list[Hit]:
        columns = (column[: self.top].tolist() for column in found)
        return [
            Hit(
                id=self.index.ids[row],
                text=self.index.texts[row],
                score=score,
                similarity=cosine,
                payload=self.index.payload(row),
            )
            for row, score, cosine in zip(*columns, strict=True)
        ]

    # the corpus

    def opened(self, located: Located, load_model: LoadModel) -> Retrieval:
        if self.corpus is None:
            raise UserError(
                "task.corpus is missing: the file with the texts to search, e.g. "
                "task: {name: retrieval, corpus: faq.csv}."
            )
        index = Index.of(read_corpus(located("corpus"), self.corpus_columns, {}))
        reranker = None if self.reranker is None else open_reranker(Path(located("reranker")), load_model)
        return self._with(index, reranker)

    def completed(self, tokenizer: TextTokenizer, run: Run, listen: Listener) -> Retrieval:
        vectors = self.vectors_of(self.index.searched, tokenizer, run, listen)
        return self.changed(self.index.with_vectors(vectors))

    def vectors_of(
        self, texts: Sequence[str], tokenizer: TextTokenizer, run: Run, listen: Listener
    ) -> NDArray[np.float32]:
        """[N, H] vectors of what is read of the corpus's rows."""
        pieces = []
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            encodings = self._for_passages(tokenizer).ids(texts[start : start + TEXTS_AT_ONCE])
            pieces.append(np.stack(run([_alone(one) for one in encodings])))
            listen(Progress("index", min(start + TEXTS_AT_ONCE, len(texts)), len(texts), "texts"))
        return np.concatenate(pieces).astype(np.float32)

    def changed(self, index: Index) -> Retrieval:
        """The same task on another index."""
        return self._with(index, self._reranker)

    def _with(self, index: Index, reranker: Reranker | None) -> Retrieval:
        known = self.model_copy()
        known._index, known._reranker = index, reranker
        if known.is_complete and self.search == "faiss":
            _ = index.neighbours  # so that no query waits for it
        return known

    def keep(self, folder: Path) -> None:
        self.index.save(folder)
        if self._reranker is not None:
            shutil.copytree(self._reranker.folder, folder / RERANKER)

    def restored(self, folder: Path, load_model: LoadModel) -> Retrieval:
        reranker = None if self.reranker is None else open_reranker(folder / RERANKER, load_model)
        return self._with(open_index(folder), reranker)


def _ids_of(value: Any) -> list[str]:
    """The ids in a cell: one, or a list of them; none where it is empty."""
    values = value if isinstance(value, list | tuple) else [value]
    names = []
    for one in values:
        if isinstance(one, float) and one.is_integer():
            one = int(one)
        if is_missing(one):
            continue
        if isinstance(one, bool) or not isinstance(one, str | int):
            raise ValueError(f"'id' must be text, a whole number, or a list of them; got {one!r}.")
        names.append(str(one).strip())
    return names


def _alone(encoding: Any) -> Feature:
    return side_by_side([encoding]).features[0]


def _vectors(answered: Sequence[Answered], index: Index) -> NDArray[np.float32]:
    """[Q, H] the queries' vectors: the first of each row's outputs, which may hold its passage's too."""
    assert index.vectors is not None
    width = index.vectors.shape[1]
    return np.stack([row.outputs[0][:width] for row in answered])


def _first_texts(found: Ranking, index: Index) -> list[str]:
    return [index.texts[row] for row in found.rows[:WORDS_SHOWN]]
