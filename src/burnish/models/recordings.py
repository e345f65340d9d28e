"""Recordings to what a speech encoder reads: raw samples (Wav2Vec2 and its family) or log-mel bands (Whisper).

The numbers are those of the base's own feature extractor in transformers, which the bundle holds too. Two kinds of
base want a *window*, recordings of one length filled up with silence: Whisper, whose encoder has a position for each
moment of it, and bases that normalise over the whole recording (wav2vec2-base, hubert-base), whose answers would else
depend on what stands beside a recording in its batch. Others get each recording as long as it is, and a mask.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.data.recordings import Recording, resampled

if TYPE_CHECKING:
    from burnish.models.tokenizer import TextTokenizer

Floats = NDArray[np.float32]

MOST_SECONDS = 30
"""Longest recording of a base that has no limit of its own, unless a task says else."""
CONV_STRIDE = 2  # of Whisper's second convolution, which makes one position of two columns
POSITIONS = "max_source_positions"
"""What the config of a base with a window calls the length of it, in encoder frames."""
POSITIONS_A_SECOND = 50  # 16,000 samples a second, 160 a column, two columns a position


@dataclass(frozen=True)
class Heard:
    """A recording as a base reads it.

    `values` [S] samples or [bands, columns]; `n_units` encoder frames that it costs; `n_frames` of them that hold sound
    and not silence after it; `n_whole` frames of the whole recording, of which `n_cut` were cut off.
    """

    values: Floats
    n_units: int
    n_frames: int
    n_whole: int
    n_cut: int


@dataclass(frozen=True)
class RecordingReader:
    """A base's feature extractor. `window` is in samples, None where there is none."""

    extractor: Any
    rate_hz: int
    max_seconds: int
    most_frames: int
    """Encoder frames of `max_seconds`."""
    window: int | None
    n_bands: int
    conv: tuple[tuple[int, int], ...]
    """(kernel, stride) of each convolution under a base that reads samples."""
    text: TextTokenizer | None = None
    """Reads the text that goes with each recording, where there is one; it lies in `text_folder`."""
    text_folder: Path | None = None
    text_name: str = "text"
    """Folder of a bundle's model where the text's tower lies."""

    @property
    def pad_id(self) -> int:
        return 0 if self.text is None else self.text.pad_id

    @property
    def prompt(self) -> str:
        return "" if self.text is None else self.text.prompt

    @property
    def max_length(self) -> int:
        return self.most_frames if self.text is None else self.text.max_length

    def hear(self, recording: Recording) -> Heard:
        """A recording at the base's rate, cut to `max_seconds`, as numbers for the base."""
        samples = resampled(recording, self.rate_hz)
        n_whole = self.frames_of(len(samples))
        kept = samples[: self.max_seconds * self.rate_hz]
        n_frames = self.frames_of(len(kept))
        values = self._bands(kept) if self.n_bands else self._samples(kept)
        n_units = n_frames if self.window is None else self.most_frames
        return Heard(values, n_units, n_frames, n_whole, n_whole - n_frames)

    @property
    def columns(self) -> int:
        """Values of a band, or samples, that fill the window; 0 where there is none."""
        if self.window is None:
            return 0
        return self.window // int(self.extractor.hop_length) if self.n_bands else self.window

    def frames_of(self, n_samples: int) -> int:
        """Encoder frames of so many samples, at least one."""
        if self.n_bands:
            return max(1, -(-n_samples // (CONV_STRIDE * int(self.extractor.hop_length))))
        return max(1, frames_after(n_samples, self.conv))

    def save(self, folder: Path, source: Path) -> None:
        """preprocessor_config.json, which says what the base was given; and the text's tokenizer in its own folder."""
        self.extractor.save_pretrained(folder)
        if self.text is not None and self.text_folder is not None:
            self.text.save(folder / self.text_name, self.text_folder)

    def _samples(self, samples: Floats) -> Floats:
        """[S] samples as the extractor normalises them; silence is added to what is too short for one frame."""
        shortest = shortest_of(self.conv)
        filled = np.pad(samples, (0, max(0, shortest - len(samples))))
        values = self.extractor(filled, sampling_rate=self.rate_hz, padding=False)["input_values"][0]
        return np.asarray(values, np.float32)

    def _bands(self, samples: Floats) -> Floats:
        """[bands, columns] up to a first column of pure silence, which repeated fills the window."""
        assert self.window is not None, "a base that reads bands has a window"
        silence = int(self.extractor.n_fft + 2 * self.extractor.hop_length)
        filled = np.pad(samples, (0, silence))[: self.window]
        made = self.extractor(filled, sampling_rate=self.rate_hz, padding="do_not_pad", truncation=False)
        return np.asarray(made["input_features"][0], np.float32)


def frames_after(n_samples: int, conv: Sequence[tuple[int, int]]) -> int:
    """Frames that convolutions without padding make of so many samples."""
    for kernel, stride in conv:
        n_samples = (n_samples - kernel) // stride + 1
    return n_samples


def shortest_of(conv: Sequence[tuple[int, int]]) -> int:
    """Fewest samples that make one frame."""
    n_samples = 1
    for kernel, stride in reversed(conv):
        n_samples = (n_samples - 1) * stride + kernel
    return n_samples


def load_recording_reader(folder: Path, max_seconds: int | None) -> RecordingReader:
    """What reads recordings for the base in `folder`.

    Raises:
        UserError: it is no base for recordings, or none that can be read here, or takes no recordings so long.
    """
    extractor, config = _extractor(folder), _config(folder)
    if "input_features" in extractor.model_input_names:
        return _for_bands(extractor, config, folder, max_seconds)
    seconds = max_seconds or MOST_SECONDS
    conv = tuple(zip(config.conv_kernel, config.conv_stride, strict=True))
    is_windowed = not extractor.return_attention_mask or getattr(config, "feat_extract_norm", None) == "group"
    n_samples = seconds * extractor.sampling_rate
    return RecordingReader(
        extractor=extractor,
        rate_hz=extractor.sampling_rate,
        max_seconds=seconds,
        most_frames=frames_after(n_samples, conv),
        window=n_samples if is_windowed else None,
        n_bands=0,
        conv=conv,
    )


def _for_bands(extractor: Any, config: Any, folder: Path, max_seconds: int | None) -> RecordingReader:
    most = config.max_source_positions // POSITIONS_A_SECOND
    if max_seconds is not None and max_seconds > most:
        raise UserError(f"task.max_seconds: the base in {folder} takes at most {most} seconds; got {max_seconds}.")
    seconds = max_seconds or most
    settings = {**extractor.to_dict(), "chunk_length": seconds}
    extractor = type(extractor).from_dict(settings)
    return RecordingReader(
        extractor=extractor,
        rate_hz=extractor.sampling_rate,
        max_seconds=seconds,
        most_frames=seconds * POSITIONS_A_SECOND,
        window=seconds * extractor.sampling_rate,
        n_bands=extractor.feature_size,
        conv=(),
    )


def positions_for(max_seconds: int | None) -> tuple[tuple[str, Any], ...]:
    """The change of a config that fits Whisper's encoder to shorter recordings."""
    return () if max_seconds is None else ((POSITIONS, POSITIONS_A_SECOND * max_seconds),)


def _config(folder: Path) -> Any:
    from transformers import AutoConfig

    return AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)


READ = ("WhisperFeatureExtractor", "Wav2Vec2FeatureExtractor")


def _extractor(folder: Path) -> Any:
    from transformers import AutoFeatureExtractor

    from burnish.models.network import quiet_transformers

    if not (folder / "preprocessor_config.json").is_file():
        raise UserError(
            f"base: {folder} has no preprocessor_config.json, so it reads no recordings; name a base for speech, e.g. "
            "hub:openai/whisper-tiny.en or hub:facebook/wav2vec2-base."
        )
    try:
        with quiet_transformers():
            extractor = AutoFeatureExtractor.from_pretrained(  # type: ignore[no-untyped-call]
                folder, local_files_only=True, trust_remote_code=False
            )
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        reason = str(error).strip().split("\n")[0][:200]
        raise UserError(f"base: {folder} has no feature extractor that can be read ({reason}).") from None
    if type(extractor).__name__ not in READ:
        raise UserError(
            f"base: {folder} reads its input through {type(extractor).__name__}; Burnish reads recordings through "
            f"{' and '.join(READ)}."
        )
    return extractor
