"""One text turned into another: translation, summaries, rewriting, by an encoder with a decoder (T5, BART, Marian)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self, cast

import numpy as np
from pydantic import Field, PrivateAttr

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._texts import TextOutcome
from burnish.models.decoding import Decoding
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks._contract import (
    Answered,
    Arrays,
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
from burnish.tasks._rows import pad_inputs, text_of
from burnish.tasks._writing import (
    Places,
    Written,
    check_decoding,
    gold_nll,
    golds_of,
    loss_of_answers,
    opened_decoding,
    packed,
    targets_of,
    text_outcome,
    written_texts,
)

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network
    from burnish.models.turning import PairTokenizer


class Seq2Seq(Task):
    """Cross-entropy of the other text's tokens, each told from those before it and the whole first text."""

    wanted = (
        Wanted("text", True, "the text to turn into another"),
        Wanted("target", True, "the other text, or a list of texts that would do; the first is learned"),
    )
    gold = frozenset({"target"})
    judged_as = TextOutcome
    best_by = "perplexity"
    least_labels = 0
    answer = Written

    head: Annotated[Part, Shelf("heads"), giving("other_words")] = Field(default="seq2seq", validate_default=True)
    """seq2seq (the base's own; the bundle loads in AutoModelForSeq2SeqLM)."""

    decoding: Decoding = Field(default_factory=Decoding)
    """How text is written."""

    _is_written: bool = PrivateAttr(default=True)

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        return HeadPlan(())

    def arrow_fields(self) -> dict[str, str]:
        return {"text": "string", "golds": "list<string>"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        golds = golds_of(values.get("target"), "target") if is_labelled else None
        return {"text": text_of(values, "text", is_labelled), "golds": golds}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> PairTokenizer:
        from burnish.models.lm import refuse_unless_seq2seq
        from burnish.models.turning import load_pair_tokenizer

        refuse_unless_seq2seq(folder)
        reader = load_pair_tokenizer(folder, max_length, prompt, self.decoding.max_new_tokens)
        check_decoding(self.decoding, reader.tokenizer.backend, reader.ends)
        return reader

    def encode(self, examples: Sequence[Example], reader: PairTokenizer, labels: tuple[str, ...]) -> list[Encoded]:
        """input_ids [T], ends [E], n_units [1]; of labelled examples decoder_ids [U] and target_ids [U] too."""
        encoded = []
        for example, source in zip(examples, reader.sources([one["text"] for one in examples]), strict=True):
            n_cut = sum(len(piece.ids) for piece in source.overflowing)
            n_tokens = len(source.ids) + n_cut
            feature = {"input_ids": np.asarray(source.ids, np.int32), "ends": np.asarray(reader.ends, np.int32)}
            notes = []
            if example.get("golds") is not None:
                target = reader.target(example["golds"][0])
                fitting = target[: reader.max_length]
                feature["target_ids"] = np.asarray(fitting, np.int32)
                feature["decoder_ids"] = np.asarray([reader.start, *fitting[:-1]], np.int32)
                n_cut += len(target) - len(fitting)
                notes = self._notes(len(target))
            feature["n_units"] = np.array([len(source.ids) + len(feature.get("target_ids", ()))], np.int32)
            encoded.append(Encoded([feature], n_tokens, n_cut, tuple(notes)))
        return encoded

    def _notes(self, n_target: int) -> list[str]:
        most = self.decoding.max_new_tokens
        if n_target <= most:
            return []
        return [f"the target has {n_target} tokens, and none above max_new_tokens ({most}) is given."]

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs, n_tokens = pad_inputs(features, pad_id)
        targets: Arrays = {"ends": features[0]["ends"].astype(np.int64)}
        if "target_ids" in features[0]:
            width = max(len(feature["target_ids"]) for feature in features)
            before = np.full((len(features), width), pad_id, np.int64)
            for row, feature in enumerate(features):
                before[row, : len(feature["decoder_ids"])] = feature["decoder_ids"]
            inputs["decoder_input_ids"] = before
            places = [_places(feature, row * width) for row, feature in enumerate(features)]
            inputs["places"], learned = targets_of(places)
            targets |= learned
        return Collated(inputs, targets, len(features), n_tokens)

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
        return packed(nll, counts, write(network, _sources(batch), self.decoding, batch.targets["ends"].tolist()))

    def stream(self, network: Network, batch: Batch) -> Iterator[str]:
        from burnish.models.streaming import stream

        [source] = _sources(batch)
        return stream(network, source, self.decoding, batch.targets["ends"].tolist())

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> TextOutcome:
        return text_outcome(answered)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> list[Written]:
        return written_texts(answered)

    def opened(self, located: Located, load_model: LoadModel) -> Self:
        return self.model_copy(update={"decoding": opened_decoding(self.decoding, located)})


def _sources(batch: Batch) -> list[Tensor]:
    """Of each row [T] the tokens of the text that is turned into another."""
    rows = zip(batch.inputs["input_ids"], batch.inputs["attention_mask"].bool(), strict=True)
    return [ids[is_real] for ids, is_real in rows]


def _places(feature: Feature, offset: int) -> Places:
    """Every token of the other text is learned, its end too."""
    n = len(feature["target_ids"])
    return Places(offset + np.arange(n), feature["target_ids"], np.ones(n, bool))
