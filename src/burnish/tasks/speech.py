"""One label for a recording, or for a recording and a text together: a command, an emotion, a digit, a speaker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import Field, PrivateAttr, model_validator

from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._single import SingleOutcome
from burnish.models.heads._contract import Head, HeadPlan, TowerPlan, giving
from burnish.tasks import _recordings
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
from burnish.tasks._contract import (
    Answered,
    Batch,
    Collated,
    Decision,
    Encoded,
    Evidence,
    Example,
    Feature,
    LoadModel,
    Located,
    Task,
)
from burnish.tasks._rows import encode_rows, pad_inputs, text_of
from burnish.tasks._towers import TEXT, located_text_base

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.recordings import RecordingReader

RECORDING = "recording"
"""Name of the recording's tower."""


class Speech(Task):
    """Softmax over L labels."""

    wanted = (
        Wanted("audio", True, "the recording: a file's path, seen from the data file"),
        Wanted("text", False, "a text that goes with it, such as what was said before"),
        Wanted("label", True, "the label's name"),
    )
    texts = ("audio", "text")
    files = frozenset({"audio"})
    gold = frozenset({"label"})
    judged_as = SingleOutcome
    best_by = "accuracy"
    stratify_by = "label"
    answer = Classified
    rows_at_once = _recordings.ROWS_AT_ONCE

    head: Annotated[Part, Shelf("heads"), giving("recordings", "fused")] | None = None
    """recording (pools the frames that hold sound), or with `text_base` fusion; null takes what fits."""

    max_seconds: int | None = Field(default=None, ge=1)
    """Longest recording that is read whole; what is longer is cut. With a base that reads a window (Whisper,
    wav2vec2-base) every recording costs as much as one so long, so set it near your longest; null: 30."""

    text_base: str | None = None
    """A base for the text that goes with each recording: a name on `bases`, a folder, or `hub:<id>`. Null reads
    recordings alone."""

    _text_folder: Path | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _head_reads_what_there_is(self) -> Speech:
        if self.head is not None and (self.head_part.gives == "fused") != self.is_fused:
            other = "needs a text_base" if self.head_part.gives == "fused" else "reads no text; take text_base out"
            raise ValueError(f"the head '{self.head.part_name}' {other}, or leave the head out")
        return self

    @property
    def is_fused(self) -> bool:
        """Whether a text is read with each recording."""
        return self.text_base is not None

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head or Shelf("heads").build("fusion" if self.is_fused else "recording"))

    def opened(self, located: Located, load_model: LoadModel) -> Speech:
        if self.text_base is None:
            return self
        known = self.model_copy()
        known._text_folder = located_text_base(located)
        return known

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        from burnish.models.recordings import positions_for

        changes = positions_for(self.max_seconds)
        if not self.is_fused:
            return HeadPlan(labels, config_changes=changes)
        towers = (TowerPlan(RECORDING, config_changes=changes), TowerPlan(TEXT, self._text_folder))
        return HeadPlan(labels, towers=towers)

    def arrow_fields(self) -> dict[str, str]:
        return {**_recordings.FIELDS, "text_pair": "string", "label": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        label = one_label(values) if is_labelled else None
        if self.is_fused and values.get("text") is None and not is_labelled:
            raise ValueError(
                "'text' is missing: this task reads a text with each recording (--pair on the command line)."
            )
        text = text_of(values, "text", is_labelled) if self.is_fused else None
        heard = _recordings.recording_of(values)
        if text is None:
            return {**heard, "text_pair": None, "label": label}
        copies = f"{heard['content']} {text}"  # the same recording may stand beside two texts
        return {**heard, "text": text, "text_pair": heard["text"], "content": copies, "label": label}

    def labels_of(self, example: Example) -> Iterable[str]:
        return (example["label"],)

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> RecordingReader:
        from burnish.models.recordings import load_recording_reader
        from burnish.models.tokenizer import load_tokenizer

        if not is_bundle and not self.is_fused and (max_length is not None or prompt):
            name = "prompt" if prompt else "max_length"
            raise UserError(
                f"data.{name}: this task reads no text without task.text_base; take it out. How much of a recording is "
                "read is said by task.max_seconds."
            )
        reader = load_recording_reader(folder, self.max_seconds)
        if not self.is_fused:
            return reader
        texts = self._text_folder or folder / TEXT
        return replace(reader, text=load_tokenizer(texts, max_length, False, prompt), text_folder=texts)

    def encode(self, examples: Sequence[Example], reader: RecordingReader, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = _recordings.encode_recordings(examples, reader)
        if reader.text is not None:
            texts = encode_rows([{"text": example["text"]} for example in examples], reader.text)
            encoded = [_together(sound, text) for sound, text in zip(encoded, texts, strict=True)]
        add_targets(encoded, examples, labels)
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs = _recordings.pad_recordings(features)
        if "input_ids" in features[0]:
            texts, _ = pad_inputs(features, pad_id)
            inputs = {f"{RECORDING}.{name}": value for name, value in inputs.items()}
            inputs |= {f"{TEXT}.{name}": value for name, value in texts.items()}
        n_units = sum(int(feature["n_units"][0]) for feature in features)
        return Collated(inputs, stacked_targets(features), len(features), n_units)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return choice_loss(logits, batch, weights, smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return choice_evidence(answered, labels)

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SingleOutcome:
        return choice_outcome(answered, labels, decision)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Classified]:
        return choices(answered, labels, decision)


def _together(sound: Encoded, text: Encoded) -> Encoded:
    """One feature of a recording and its text; it costs the frames of the one and the tokens of the other."""
    n_units = sound.features[0]["n_units"] + np.int32(len(text.features[0]["input_ids"]))
    feature = {**sound.features[0], **text.features[0], "n_units": n_units}
    return Encoded([feature], sound.n_tokens + text.n_tokens, sound.n_cut + text.n_cut)
