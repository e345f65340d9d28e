"""The relation between two marked entities of a text: who bought whom, what causes what, or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.data.entities import Entities, is_blank, marked_entities, placed_entities
from burnish.metrics._relations import RelationOutcome
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._choices import (
    Classified,
    add_targets,
    choice_evidence,
    choice_loss,
    choice_outcome,
    choices,
    one_label,
    stacked_targets,
)
from burnish.tasks._contract import Answered, Batch, Collated, Decision, Encoded, Evidence, Example, Feature, Task
from burnish.tasks._entities import encode_marked, stacked_starts, with_marks
from burnish.tasks._rows import pad_inputs, text_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer


class Relations(Task):
    """Softmax over L relations. The direction is part of a label: `bought(e1,e2)` and `bought(e2,e1)`, or two names."""

    wanted = (
        Wanted("text", True, "the text, with <e1>…</e1> and <e2>…</e2> in it unless head and tail are given"),
        Wanted("head", False, "the first entity: [start, end], or its own words"),
        Wanted("tail", False, "the second entity: [start, end], or its own words"),
        Wanted("label", True, "the relation's name"),
    )
    gold = frozenset({"label"})
    judged_as = RelationOutcome
    best_by = "semeval_f1"
    stratify_by = "label"
    least_rows = 1  # of SemEval's 19 labels one stands in a single row
    answer = Classified
    example_input = "<e1>Ada</e1> works for <e2>Burnish</e2>"

    head: Annotated[Part, Shelf("heads"), giving("entities", "rows")] = Field(default="entities", validate_default=True)
    """entities: reads the states at the entities' start marks; cls, mean, max: read the whole marked text."""

    no_relation: str = "none"
    """The label that says that there is no relation; `semeval_f1` leaves it out, and `relate` does not tell it."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(labels)

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "head": "list<int32>", "tail": "list<int32>", "label": "string", "note": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        """The text with marks of punctuation in it, and where they stand; it is what models and readers see."""
        entities = _entities(values, is_labelled)
        text, head, tail = with_marks(entities)
        label = one_label(values) if is_labelled else None
        return {"text": text, "head": list(head), "tail": list(tail), "label": label, "note": entities.note}

    def edge_row(self, text: str, like: Example) -> dict[str, Any]:
        """The text between and behind two entities, which every row must have."""
        return {"text": f"<e1>a</e1> {text} <e2>b</e2> {text}"}

    def labels_of(self, example: Example) -> Iterable[str]:
        return (example["label"],)

    def encode(self, examples: Sequence[Example], tokenizer: TextTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = encode_marked(examples, tokenizer)
        add_targets(encoded, examples, labels)
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        inputs["starts"] = stacked_starts(features)
        return Collated(inputs, stacked_targets(features), len(features), n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return choice_loss(logits, batch, weights, smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return choice_evidence(answered, labels)

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> RelationOutcome:
        return RelationOutcome(choice_outcome(answered, labels, decision), self.no_relation)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Classified]:
        return choices(answered, labels, decision)


def _entities(values: Mapping[str, Any], is_labelled: bool) -> Entities:
    text, head, tail = text_of(values, "text", is_labelled), values.get("head"), values.get("tail")
    if not text.strip():
        return Entities("", (0, 0), (0, 0))  # only when predicting: an empty text is answered, as by every task
    if is_blank(head) and is_blank(tail):
        return marked_entities(text)
    return placed_entities(text, head, tail)
