"""The piece of a text that answers a question, or that there is none: extractive question answering."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import Field

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.answers import parse_answers
from burnish.data.columns import Wanted
from burnish.data.measures import looks_chinese
from burnish.metrics._answers import AnswerOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._contract import (
    Answered,
    Arrays,
    Batch,
    Collated,
    Decision,
    Encoded,
    Evidence,
    Example,
    Feature,
    Line,
    Prediction,
    Task,
)
from burnish.tasks._passages import (
    N_BEST,
    NOWHERE,
    candidate_mask,
    encode_passages,
    find_candidates,
    span_loss,
    with_gold,
)
from burnish.tasks._rows import pad_inputs, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

MIDDLE = 0.5


class FoundAnswer(Prediction):
    """The answer to one question."""

    answer: str
    """The piece of the context that answers; empty where it holds no answer."""
    start: int | None
    """First character of it, counted from 0 in the context as it was given; null where there is no answer."""
    end: int | None
    """Character after the last."""
    confidence: float
    """Calibrated probability that exactly this is right, 0 to 1."""
    abstained: bool
    """Whether the confidence is below the threshold that keeps the wanted precision."""

    def lines(self) -> list[Line]:
        said = "no answer" if self.start is None else f"{self.answer}  [{self.start}:{self.end}]"
        return [Line(said, self.confidence, self.abstained)]


class Answers(Task):
    """Start and end of an answer among the tokens of a context, which is read in windows where it is long."""

    wanted = (
        Wanted("question", True, "the question"),
        Wanted("context", True, "the text that may hold the answer"),
        Wanted("answers", True, "its answers: text and start; none where the context holds none"),
        Wanted("id", False, "the question's name, for messages"),
    )
    texts = ("question", "context")
    gold = frozenset({"answers"})
    judged_as = AnswerOutcome
    best_by = "answer_f1"
    least_labels = 0
    answer = FoundAnswer

    head: Annotated[Part, Shelf("heads"), giving("spans")] = Field(default="span", validate_default=True)
    """span (the architecture's own; the bundle loads in AutoModelForQuestionAnswering)."""

    max_answer_tokens: int = Field(default=64, ge=1)
    """Most tokens of an answer that is given; longer ones in the data are learned, and the data card counts them."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(("start", "end"))

    def arrow_fields(self) -> dict[str, str]:
        """`text` is the question and `text_pair` the context: what duplicates, lengths and reports look at."""
        return {
            "text": "string",
            "text_pair": "string",
            "answer_texts": "list<string>",
            "answer_starts": "list<int32>",
            "note": "string",
        }

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        if values.get("context") is None and not is_labelled:
            raise ValueError(
                "'context' is missing: this task answers a 'question' from a 'context' (--context on the command line)."
            )
        texts = {name: text_of(values, name, is_labelled) for name in self.texts}
        example: Example = {"text": texts["question"], "text_pair": texts["context"]}
        if not is_labelled:
            return {**example, "answer_texts": None, "answer_starts": None, "note": None}
        try:
            golds = parse_answers(values.get("answers"), texts["context"])
        except ValueError as error:
            name = values.get("id")
            raise ValueError(f"{error}" if name is None else f"(question {name}) {error}") from None
        return {
            **example,
            "answer_texts": [one.text for one in golds.answers],
            "answer_starts": [NOWHERE if one.start is None else one.start for one in golds.answers],
            "note": golds.note,
        }

    def edge_row(self, text: str, like: Example) -> dict[str, Any]:
        """The text asks, and stands in the context too, where the answer is looked for."""
        return {"question": text, "context": f"{text} {like.get('text_pair') or ''}"}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        return encode_passages(examples, tokenizer, self.max_answer_tokens)

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        targets: Arrays = {}
        if "target" in features[0]:
            targets["wanted"] = np.stack([feature["target"] for feature in features]).astype(np.int64)
            targets["is_candidate"] = candidate_mask(features, inputs["input_ids"].shape[1])
        return Collated(inputs, targets, len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return span_loss(logits, batch.targets["is_candidate"], batch.targets["wanted"], smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        """The choice among the best pieces and no answer; a row whose answer no window holds says nothing about it."""
        found = [with_gold(row, find_candidates(row, self.max_answer_tokens)) for row in answered]
        rows = [one for one in found if one is not None]
        logits = np.stack([logits for logits, _ in rows]) if rows else np.zeros((0, 1 + N_BEST))
        return Evidence(logits, np.asarray([gold for _, gold in rows], np.int64), "softmax")

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> AnswerOutcome:
        found = [self._answer(row, decision) for row in answered]
        return AnswerOutcome(
            gold=[tuple(row.example["answer_texts"]) for row in answered],
            predicted=[one.answer for one, _ in found],
            confidence=np.array([one.confidence for one, _ in found], float),
            p_answer=np.array([p_answer for _, p_answer in found], float),
            is_chinese=np.array([looks_chinese(row.example["text_pair"]) for row in answered], bool),
        )

    def decode(
        self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision
    ) -> Sequence[FoundAnswer]:
        return [self._answer(row, decision)[0] for row in answered]

    def _answer(self, row: Answered, decision: Decision) -> tuple[FoundAnswer, float]:
        """The answer, and the probability that there is one."""
        found = find_candidates(row, self.max_answer_tokens)
        scores = decision.probabilities(found.logits, "softmax")
        p_answer = float(1.0 - scores[0])
        (threshold,) = decision.label_thresholds or (MIDDLE,)
        has_answer = bool(found.pieces) and p_answer >= threshold
        start, end = found.pieces[0] if has_answer else (None, None)
        confidence = float(scores[1] if has_answer else scores[0])
        answer = FoundAnswer(
            answer=row.example["text_pair"][start:end] if has_answer else "",
            start=start,
            end=end,
            confidence=confidence,
            abstained=confidence < decision.abstain_below,
        )
        return answer, p_answer
