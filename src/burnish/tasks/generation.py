"""Text from a prompt or a chat, by a causal model: instructions, summaries, dialogue; answers are learned, no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

import numpy as np
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
    LoadModel,
    Located,
    Task,
)
from burnish.tasks._messages import read_chat, turns_of
from burnish.tasks._packing import pack_rows
from burnish.tasks._writing import Written, loss_of_answers, opened_decoding, text_outcome, written_texts

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.chat import ChatTokenizer
    from burnish.models.network import Network


class Generation(Task):
    """The chat template of the base, cross-entropy of the assistant's tokens."""

    wanted = (
        Wanted("prompt", False, "what is asked", ("messages",)),
        Wanted("response", False, "the answer, or a list of answers that would do; the first is learned"),
        Wanted("system", False, "what the model is told before"),
        Wanted("messages", False, "instead: the turns of a chat, each with role and content"),
    )
    texts = ("prompt",)
    gold = frozenset({"response"})
    judged_as = TextOutcome
    best_by = "perplexity"
    least_labels = 0
    answer = Written

    head: Annotated[Part, Shelf("heads"), giving("next_words")] = Field(default="causal", validate_default=True)
    """causal (the base's own; the bundle loads in AutoModelForCausalLM)."""

    system: str = ""
    """What the model is told first, in chats that say nothing of the kind."""

    template: str | None = None
    """How a chat is written for the base: `plain`, or a Jinja template; null takes the base's own."""

    packing: bool = False
    """Training puts several examples into one row of the network, which keeps them apart. Batches already hold examples
    of like length, so it helps only where lengths differ so much that few rows share a batch."""

    decoding: Decoding = Field(default_factory=Decoding)
    """How text is written."""

    _is_written: bool = PrivateAttr(default=True)

    @field_validator("template")
    @classmethod
    def _template_is_one(cls, value: str | None) -> str | None:
        if value is not None and value != "plain" and "{" not in value:
            raise ValueError(f"must be plain, or a Jinja template; got '{value[:60]}'")
        return value

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(())

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "messages": "string", "golds": "list<string>"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        return read_chat(values, is_labelled, self.system)

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> ChatTokenizer:
        if self.packing:
            from burnish.models.lm import refuse_unless_packable

            refuse_unless_packable(folder)
        return load_chat_reader(folder, max_length, prompt, self.decoding, None if is_bundle else self.template)

    def encode(self, examples: Sequence[Example], reader: ChatTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        golds = [example.get("golds") for example in examples]
        return [
            encode_chat(turns_of(example), None if gold is None else gold[0], reader)
            for example, gold in zip(examples, golds, strict=True)
        ]

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        return pack_rows(features) if self.packing else features

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

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> list[Written]:
        return written_texts(answered)

    def opened(self, located: Located, load_model: LoadModel) -> Self:
        return self.model_copy(update={"decoding": opened_decoding(self.decoding, located)})
