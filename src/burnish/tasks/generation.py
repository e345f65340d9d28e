"""Text from a prompt or a chat, by a causal model: instructions, summaries, dialogue; answers are learned, no more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from burnish.tasks._contract import Answered, Batch, Decision, Encoded, Example, Feature, Task
from burnish.tasks._messages import read_chat, turns_of
from burnish.tasks._packing import pack_rows, packed_inputs
from burnish.tasks._rows import pad_inputs
from burnish.tasks._writing import (
    Places,
    Written,
    gold_nll,
    loss_of_answers,
    packed,
    targets_of,
    text_outcome,
    written_texts,
)

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.chat import Chat, ChatTokenizer
    from burnish.models.network import Network


class Generation(Task):
    """The chat template of the base, cross-entropy of the assistant's tokens."""

    wanted = (
        Wanted("prompt", False, "what is asked"),
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
        from burnish.models.chat import load_chat_tokenizer
        from burnish.models.lm import refuse_unless_decoder, refuse_unless_packable

        refuse_unless_decoder(folder)
        if self.packing:
            refuse_unless_packable(folder)
        template = None if is_bundle else self.template
        return load_chat_tokenizer(folder, max_length, prompt, self.decoding.max_new_tokens, template)

    def encode(self, examples: Sequence[Example], reader: ChatTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        """input_ids [T]; n_prompt [1], the tokens before the answer; ends [E]; is_learned [T] of labelled examples."""
        encoded = []
        for example in examples:
            golds = example.get("golds")
            turns = turns_of(example)
            chat = reader.asked(turns) if golds is None else reader.answered(turns, golds[0])
            feature = _feature(chat, reader.ends, is_labelled=golds is not None)
            encoded.append(Encoded([feature], len(chat.ids) + chat.n_cut, chat.n_cut, chat.notes))
        return encoded

    def varied(self, features: Sequence[Feature], draw: np.random.Generator) -> Sequence[Feature]:
        return pack_rows(features) if self.packing else features

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Batch:
        import torch

        inputs, n_tokens = pad_inputs(features, pad_id)
        n_rows = len(features)
        if "n_each" in features[0]:
            n_rows = sum(len(feature["n_each"]) for feature in features)
            inputs |= packed_inputs(features, inputs["input_ids"].shape[1])
        targets = {"ends": torch.from_numpy(features[0]["ends"].astype(np.int64))}
        if "is_learned" in features[0]:
            width = inputs["input_ids"].shape[1]
            places = [_places(feature, row * width) for row, feature in enumerate(features)]
            inputs["places"], learned = targets_of(places)
            targets |= learned
        targets["n_prompt"] = torch.tensor([int(feature["n_prompt"][0]) for feature in features])
        return Batch(inputs, targets, n_rows, n_tokens)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return loss_of_answers(logits, batch, smoothing)

    def watched(self, metric: str) -> Self:
        """Writing takes most of the time of judging, and perplexity does without."""
        copy = self.model_copy()
        copy._is_written = metric != "perplexity"
        return copy

    def ask(self, network: Network, batch: Batch) -> Tensor:
        from burnish.models.writing import write

        nll, counts = gold_nll(network, batch)
        if not self._is_written:
            return packed(nll, counts, ())
        rows = zip(batch.inputs["input_ids"], batch.targets["n_prompt"].tolist(), strict=True)
        prompts = [ids[:n_prompt] for ids, n_prompt in rows]
        return packed(nll, counts, write(network, prompts, self.decoding, batch.targets["ends"].tolist()))

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> TextOutcome:
        return text_outcome(answered)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> list[Written]:
        return written_texts(answered)


def _feature(chat: Chat, ends: Sequence[int], *, is_labelled: bool) -> Feature:
    feature = {
        "input_ids": np.asarray(chat.ids, np.int32),
        "n_prompt": np.array([chat.n_prompt], np.int32),
        "ends": np.asarray(ends, np.int32),
    }
    if is_labelled:
        feature["is_learned"] = np.asarray(chat.is_learned, np.int32)
    return feature


def _places(feature: Feature, offset: int) -> Places:
    """Each learned token is told from the one before it; a text's first token never is."""
    learned = np.flatnonzero(feature["is_learned"][1:]) + 1
    return Places(offset + learned - 1, feature["input_ids"][learned], learned >= feature["n_prompt"][0])
