"""Speech to text: a recording's words, written down by an encoder of sound with a decoder (Whisper)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import numpy as np
from pydantic import Field

from burnish.core.errors import UserError
from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.data.columns import Wanted
from burnish.metrics._transcripts import TranscriptOutcome
from burnish.models.decoding import Decoding
from burnish.models.heads._contract import Head, HeadPlan, giving
from burnish.tasks import _recordings
from burnish.tasks._contract import Answered, Arrays, Batch, Collated, Decision, Encoded, Example, Feature, Task
from burnish.tasks._rows import text_of
from burnish.tasks._writing import Places, Written, loss_of_answers, packed, targets_of, told, written_texts

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.network import Network
    from burnish.models.transcribing import TranscriptReader


class Transcription(Task):
    """Cross-entropy of a transcript's tokens, each told from those before it and the whole recording."""

    wanted = (
        Wanted("audio", True, "the recording: a file's path, seen from the data file"),
        Wanted("text", True, "what is said in it"),
    )
    texts = ("audio",)
    files = frozenset({"audio"})
    gold = frozenset({"text"})
    judged_as = TranscriptOutcome
    best_by = "wer"
    least_labels = 0
    answer = Written
    rows_at_once = _recordings.ROWS_AT_ONCE

    head: Annotated[Part, Shelf("heads"), giving("transcripts")] = Field(default="transcript", validate_default=True)
    """transcript (the base's own decoder; the bundle loads in AutoModelForSpeechSeq2Seq)."""

    max_seconds: int | None = Field(default=None, ge=1)
    """Longest recording that is read whole; what is longer is cut, and its text is not. Whisper computes a window of
    this length for every recording, so set it near your longest; null: 30."""

    language: str | None = None
    """Language of the recordings, e.g. en or zh, for a base that writes many; null where it writes English alone."""

    decoding: Decoding = Field(default_factory=Decoding)
    """How text is written."""

    @property
    def head_part(self) -> Head:
        return cast("Head", self.head)

    def head_plan(self, labels: tuple[str, ...]) -> HeadPlan:
        from burnish.models.recordings import positions_for

        return HeadPlan((), config_changes=positions_for(self.max_seconds))

    def arrow_fields(self) -> dict[str, str]:
        return {**_recordings.FIELDS, "said": "string"}

    def read(self, values: Mapping[str, Any], is_labelled: bool) -> Example:
        said = text_of(values, "text", is_labelled).strip() if is_labelled else None
        return {**_recordings.recording_of(values), "said": said}

    def labels_of(self, example: Example) -> Iterable[str]:
        return ()

    def load_reader(
        self, folder: Path, max_length: int | None, prompt: str, *, is_bundle: bool = False
    ) -> TranscriptReader:
        from burnish.models.transcribing import load_transcript_reader

        if prompt:
            raise UserError("data.prompt: this task reads no text, so there is none to put it before; take it out.")
        reader = load_transcript_reader(folder, max_length, self.max_seconds, self.language)
        if self.decoding.max_new_tokens > reader.most_tokens:
            raise UserError(
                f"task.decoding.max_new_tokens: this base writes at most {reader.most_tokens} tokens; got "
                f"{self.decoding.max_new_tokens}."
            )
        return reader

    def encode(self, examples: Sequence[Example], reader: TranscriptReader, labels: tuple[str, ...]) -> list[Encoded]:
        """The features of recordings; `start` [S], `ends` [E]; of labelled ones `target_ids` [U] too."""
        encoded = _recordings.encode_recordings(examples, reader.recordings)
        return [self._with_text(sound, example, reader) for sound, example in zip(encoded, examples, strict=True)]

    def _with_text(self, sound: Encoded, example: Example, reader: TranscriptReader) -> Encoded:
        feature = {
            **sound.features[0],
            "start": np.asarray(reader.start, np.int32),
            "ends": np.asarray(reader.ends, np.int32),
        }
        if example.get("said") is None:
            return Encoded([feature], sound.n_tokens, sound.n_cut)
        target = reader.tokens(example["said"])
        fitting = target[: reader.max_length]
        feature["target_ids"] = np.asarray(fitting, np.int32)
        feature["n_units"] = sound.features[0]["n_units"] + np.int32(len(reader.start) + len(fitting))
        return Encoded(
            [feature],
            sound.n_tokens + len(target),
            sound.n_cut + len(target) - len(fitting),
            self._notes(sound.n_cut, len(target) - 1),
        )

    def _notes(self, n_cut: int, n_target: int) -> tuple[str, ...]:
        if n_cut:
            return ("the recording is longer than what is read of it, but its text is whole; cut both.",)
        if n_target > self.decoding.max_new_tokens:
            return (f"the text has {n_target} tokens, and none above {self.decoding.max_new_tokens} is written.",)
        return ()

    def collate(self, features: Sequence[Feature], pad_id: int, n_labels: int) -> Collated:
        inputs = _recordings.pad_recordings(features)
        targets: Arrays = {name: features[0][name].astype(np.int64) for name in ("start", "ends")}
        if "target_ids" in features[0]:
            before = _before(features, pad_id)
            inputs["decoder_input_ids"] = before
            places = [_places(feature, row * before.shape[1]) for row, feature in enumerate(features)]
            inputs["places"], learned = targets_of(places)
            targets |= learned
        n_units = sum(int(feature["n_units"][0]) for feature in features)
        return Collated(inputs, targets, len(features), n_units)

    def loss(self, logits: Tensor, batch: Batch, weights: Tensor | None, smoothing: float) -> Tensor:
        return loss_of_answers(logits, batch, smoothing)

    def ask(self, network: Network, batch: Batch) -> Tensor:
        import torch

        from burnish.models.writing import write_on

        sound = {name: batch.inputs[name] for name in _recordings.HEARD_BY_TRUNK if name in batch.inputs}
        start, ends = (batch.targets[name].tolist() for name in ("start", "ends"))
        nothing = torch.zeros(batch.n_rows)
        return packed(nothing, nothing, write_on(network, sound, start, self.decoding, ends))

    def evidence(self, answered: Sequence[Answered], labels: tuple[str, ...]) -> None:
        return None

    def outcome(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> TranscriptOutcome:
        return TranscriptOutcome(
            [row.example["said"] for row in answered], [told(row.outputs[0]).text for row in answered]
        )

    def decode(self, answered: Sequence[Answered], labels: tuple[str, ...], decision: Decision) -> list[Written]:
        return written_texts(answered)


def _before(features: Sequence[Feature], pad_id: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    """[B, T] what the decoder is shown: the start, and every token of the text but its last."""
    n_start = len(features[0]["start"])
    before = np.full((len(features), n_start + max(len(one["target_ids"]) for one in features) - 1), pad_id, np.int64)
    for row, feature in zip(before, features, strict=True):
        row[:n_start] = feature["start"]
        row[n_start : n_start + len(feature["target_ids"]) - 1] = feature["target_ids"][:-1]
    return before


def _places(feature: Feature, offset: int) -> Places:
    """The first token is told from the last of the start, every other from the one before it."""
    n = len(feature["target_ids"])
    return Places(offset + len(feature["start"]) - 1 + np.arange(n), feature["target_ids"], np.ones(n, bool))
