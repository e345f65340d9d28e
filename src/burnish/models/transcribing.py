"""Bases that write down what they hear: Whisper and other encoders of sound with a decoder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.core.errors import UserError
from burnish.models.heads._contract import HeadPlan
from burnish.models.inspection import read_config
from burnish.models.lm import attach_writer, end_ids
from burnish.models.recordings import POSITIONS, RecordingReader, load_recording_reader
from burnish.models.tokenizer import TextTokenizer, load_tokenizer

if TYPE_CHECKING:
    from burnish.models.network import Network

AUTO_CLASS = "AutoModelForSpeechSeq2Seq"
MANY_LANGUAGES = 51_865  # tokens from which a Whisper knows languages; those for English alone have 51,864


@dataclass(frozen=True)
class TranscriptReader:
    """What hears recordings and knows the tokens of texts: `start` [S] begins every text, `ends` end one."""

    recordings: RecordingReader
    text: TextTokenizer
    start: tuple[int, ...]
    ends: tuple[int, ...]
    most_tokens: int
    """Most tokens of a text that the base can write, `start` not counted."""
    max_length: int
    """Most tokens of a text that is learned."""
    prompt: str = ""

    @property
    def pad_id(self) -> int:
        return self.text.pad_id

    def save(self, folder: Path, source: Path) -> None:
        self.recordings.save(folder, source)
        self.text.save(folder, source)

    def tokens(self, text: str) -> list[int]:
        """The tokens of a transcript with its end; Whisper writes a space before the first word."""
        return [*self.text.pieces([f" {text.strip()}"])[0].ids, self.ends[0]]


def load_transcript_reader(
    folder: Path, max_length: int | None, max_seconds: int | None, language: str | None
) -> TranscriptReader:
    """What reads recordings and their texts for the base in `folder`.

    Raises:
        UserError: the base cannot write down what it hears, or does not know the language.
    """
    _refuse_unless_writing(folder)
    config = read_config(folder)
    text = load_tokenizer(folder)
    start = _start(folder, config, text, language)
    most = int(config.get("max_target_positions") or 0) - len(start) or text.max_length
    if max_length is not None and max_length > most:
        raise UserError(f"data.max_length: this base writes at most {most} tokens; got {max_length}.")
    recordings = load_recording_reader(folder, max_seconds)
    return TranscriptReader(recordings, text, start, end_ids(folder), most, max_length or most)


def _refuse_unless_writing(folder: Path) -> None:
    from transformers.models.auto.modeling_auto import MODEL_FOR_SPEECH_SEQ_2_SEQ_MAPPING_NAMES as WRITING

    kind = str(read_config(folder)["model_type"])
    if kind not in WRITING:
        raise UserError(
            f"base: {folder.name} ({kind}) has no decoder that writes down what it hears; take a Whisper, e.g. "
            "hub:openai/whisper-tiny.en, or the task 'speech', which gives a recording one label."
        )


def _start(folder: Path, config: Mapping[str, Any], text: TextTokenizer, language: str | None) -> tuple[int, ...]:
    """Start of transcript, language, task, no timestamps: what stands before every text of a Whisper (§2.3)."""
    words = []
    is_of_many = config["model_type"] == "whisper" and int(config.get("vocab_size", MANY_LANGUAGES)) >= MANY_LANGUAGES
    if is_of_many and language is None:
        raise UserError(f"task.language: the base {folder.name} writes many languages; say which, e.g. en or zh.")
    if language is not None:
        words = [f"<|{language}|>", "<|transcribe|>"]
        if not is_of_many or text.backend.token_to_id(words[0]) is None:
            raise UserError(
                f"task.language: the base {folder.name} knows no language '{language}'; a base for one language alone "
                "needs none, others want a code such as en or zh."
            )
    ids = [text.backend.token_to_id(word) for word in (*words, "<|notimestamps|>")]
    return (int(config["decoder_start_token_id"]), *(token for token in ids if token is not None))


def attach_transcriber(folder: Path, plan: HeadPlan) -> Network:
    """The base in `folder` with its own decoder, its encoder fitted to shorter recordings where the plan says so."""
    from burnish.models.listening import fit_positions

    changes = dict(plan.config_changes)
    n_positions = changes.pop(POSITIONS, None)
    network = attach_writer(AUTO_CLASS, folder, replace(plan, config_changes=tuple(changes.items())))
    fit_positions(network.trunk, n_positions)
    return network
