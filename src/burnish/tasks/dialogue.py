"""A talk of many turns by a causal model: it remembers what fits, and may look facts up before it answers."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

from pydantic import Field, PrivateAttr, field_validator

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._texts import TextOutcome
from burnish.models.decoding import Decoding
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._chats import ask_for_answers, collate_chats, encode_chat, load_chat_reader, stream_answer
from burnish.tasks._contract import (
    Answered,
    Batch,
    Collated,
    Decision,
    Encoded,
    Example,
    Feature,
    Line,
    LoadModel,
    Located,
    Task,
)
from burnish.tasks._facts import Retriever, open_retriever, with_facts
from burnish.tasks._messages import read_talk, turns_of
from burnish.tasks._writing import Written, loss_of_answers, opened_decoding, text_outcome, written_texts
from burnish.tasks.retrieval import Hit

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.chat import ChatTokenizer
    from burnish.models.network import Network

RETRIEVER = "retriever"


class Replied(Written):
    """The next turn of the assistant."""

    hits: list[Hit]
    """What was looked up for it and put before it, best first, so that it can be cited; empty without a retriever."""

    def lines(self) -> list[Line]:
        return [*super().lines(), *(Line(f"[{hit.id}] {hit.text}") for hit in self.hits)]


class Dialogue(Task):
    """The chat template of the base, cross-entropy of the assistant's turns; too long a talk loses its oldest turns."""

    wanted = (
        Wanted(
            "messages",
            False,
            "the turns of a talk, each with role and content; in training the last is an answer",
            ("turns", "prompt"),
        ),
        Wanted("turns", False, "instead: only their texts, the user's and the assistant's in turn"),
        Wanted("prompt", False, "what the user says, where nothing was said before"),
    )
    texts = ("prompt",)
    gold = frozenset()
    judged_as = TextOutcome
    best_by = "perplexity"
    least_labels = 0
    answer = Replied

    head: Annotated[Part, Shelf("heads"), giving("next_words")] = Field(default="causal", validate_default=True)
    """causal (the base's own; the bundle loads in AutoModelForCausalLM)."""

    system: str = ""
    """What the model is told first, in talks that say nothing of the kind."""

    template: str | None = None
    """How a talk is written for the base: `plain`, or a Jinja template; null takes the base's own."""

    retriever: str | None = None
    """A bundle of the task `retrieval` that finds facts for what the user says last; copied into this bundle. Then only
    the last answer of a talk is learned: facts for the earlier ones are not told any more."""

    n_facts: int = Field(default=3, ge=1, le=100)
    """How many of its hits are told."""

    fact: str = "- {text}"
    """How one fact is told: `{text}`, `{id}` and further columns of the corpus, such as `{answer}`, are filled in."""

    facts: str = "Facts:\n{facts}\n\n"
    """What is put before the system text; `{facts}` are the facts, one a line."""

    decoding: Decoding = Field(default_factory=Decoding)
    """How text is written."""

    _is_written: bool = PrivateAttr(default=True)
    _retriever: Retriever | None = PrivateAttr(default=None)

    @field_validator("facts")
    @classmethod
    def _facts_have_a_place(cls, value: str) -> str:
        if "{facts}" not in value:
            raise ValueError(f"must hold {{facts}}, where they are put; got '{value[:60]}'")
        return value

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(())

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "messages": "string", "golds": "list<string>"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        return read_talk(values, is_labelled, self.system)

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> ChatTokenizer:
        return load_chat_reader(folder, max_length, prompt, self.decoding, None if is_bundle else self.template)

    def encode(self, examples: Sequence[Example], reader: ChatTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = []
        for example, hits in zip(examples, self._hits(examples), strict=True):
            golds, turns = example.get("golds"), with_facts(turns_of(example), hits, self.fact, self.facts)
            one = encode_chat(turns, None if golds is None else golds[0], reader)
            encoded.append(one if self._retriever is None else _last_alone(one))
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        return collate_chats(features, pad_id)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return loss_of_answers(logits, batch, smoothing)

    def watched(self, metric: str) -> Self:
        """Writing takes most of the time of judging, and perplexity does without."""
        copy = self.model_copy()
        copy._is_written = metric != "perplexity"
        return copy

    def ask(self, network: Network, batch: Batch) -> Tensor:
        return ask_for_answers(network, batch, self.decoding, is_written=self._is_written)

    def stream(self, network: Network, batch: Batch) -> Iterator[str]:
        return stream_answer(network, batch, self.decoding)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> TextOutcome:
        return text_outcome(answered)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> list[Replied]:
        found = self._hits([row.example for row in answered])
        return [
            Replied(text=one.text, is_finished=one.is_finished, hits=hits)
            for one, hits in zip(written_texts(answered), found, strict=True)
        ]

    # facts

    def _hits(self, examples: Sequence[Example]) -> list[list[Hit]]:
        """What is looked up for each: the same whenever it is asked, so that nothing need be carried along."""
        if self._retriever is None or not examples:
            return [[] for _ in examples]
        return self._retriever.hits([turns_of(example) for example in examples], self.n_facts)

    def opened(self, located: Located, load_model: LoadModel) -> Self:
        task = self.model_copy(update={"decoding": opened_decoding(self.decoding, located)})
        if self.retriever is not None:
            task._retriever = open_retriever(Path(located("retriever")), load_model)
            task._retriever.refuse_unknown_names(self.fact)
        return task

    def keep(self, folder: Path) -> None:
        if self._retriever is not None:
            shutil.copytree(self._retriever.folder, folder / RETRIEVER)

    def restored(self, folder: Path, load_model: LoadModel) -> Self:
        task = self.model_copy()
        if self.retriever is not None:
            task._retriever = open_retriever(folder / RETRIEVER, load_model)
        return task


def _last_alone(encoded: Encoded) -> Encoded:
    """The same with its last answer alone learned."""
    for feature in encoded.features:
        if "is_learned" in feature:
            feature["is_learned"][: feature["n_prompt"][0]] = 0
    return encoded
