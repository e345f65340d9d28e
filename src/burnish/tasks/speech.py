"""One label for a recording: a command, an emotion, a digit, a speaker."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from pydantic import Field

from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._single import SingleOutcome
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
from burnish.tasks._contract import Answered, Batch, Decision, Encoded, Evidence, Example, Feature, Task
from burnish.tasks._recordings import FIELDS, encode_recordings, pad_recordings, recording_of

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.recordings import RecordingReader


class Speech(Task):
    """Softmax over L labels of a recording."""

    wanted = (
        Wanted("audio", True, "the recording: a path from the data file's folder, or sound from Python"),
        Wanted("label", True, "the label's name"),
    )
    texts = ("audio",)
    files = frozenset({"audio"})
    gold = frozenset({"label"})
    judged_as = SingleOutcome
    best_by = "accuracy"
    stratify_by = "label"
    answer = Classified

    head: Annotated[Part, Shelf("heads"), giving("recordings")] = Field(default="recording", validate_default=True)
    """recording: the mean, or the largest value, of the frames that hold sound."""

    max_seconds: int | None = Field(default=None, ge=1)
    """Longest recording that is read whole; what is longer is cut. With a base that reads a window (Whisper,
    wav2vec2-base) every recording costs as much as one so long, so set it near your longest; null: 30."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        from burnish.models.recordings import positions_for

        return HeadPlan(labels, config_changes=positions_for(self.max_seconds))

    def arrow_fields(self) -> dict[str, str]:
        return {**FIELDS, "label": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        return {**recording_of(values), "label": one_label(values) if is_labelled else None}

    def labels_of(self, example: Example) -> Iterable[str]:
        return (example["label"],)

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> RecordingReader:
        from burnish.models.recordings import load_recording_reader

        if prompt or (max_length is not None and not is_bundle):
            name = "prompt" if prompt else "max_length"
            raise UserError(f"data.{name}: there is no text to it here; task.max_seconds says how much sound is read.")
        return load_recording_reader(folder, self.max_seconds)

    def encode(self, examples: Sequence[Example], reader: RecordingReader, labels: tuple[str, ...]) -> list[Encoded]:
        encoded = encode_recordings(examples, reader)
        add_targets(encoded, examples, labels)
        return encoded

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Batch:
        inputs, n_units = pad_recordings(features)
        return Batch(inputs, stacked_targets(features), len(features), n_units)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return choice_loss(logits, batch, weights, smoothing)

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> Evidence:
        return choice_evidence(answered, labels)

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> SingleOutcome:
        return choice_outcome(answered, labels, decision)

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> Sequence[Classified]:
        return choices(answered, labels, decision)
