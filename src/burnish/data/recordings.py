"""Recordings: sound files, or samples from Python, as mono samples and their rate.

A recording is told by a path, by the bytes of a sound file, by samples with their rate, or by the dict that the
library `datasets` makes of one. wav, flac, mp3, ogg and whatever else libsndfile reads.
"""

from __future__ import annotations

import hashlib
import io
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.data.paths import require_file

Samples = NDArray[np.float32]

LOWEST_HZ, HIGHEST_HZ = 1_000, 384_000
EXTRA = "speech"
READABLE = "wav, flac, mp3 or ogg"
MOST_BYTES = 1 << 30
MOST_MINUTES = 60
"""Longest recording that is opened at all: a small mp3 file can hold days, which would not fit in memory."""


@dataclass(frozen=True)
class Recording:
    """`samples` [S], mono, mostly in -1 … 1, at `rate_hz`."""

    samples: Samples
    rate_hz: int

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate_hz


@dataclass(frozen=True)
class Told:
    """What a row says of a recording: where its file is, or the bytes of one; how it is called; a digest of it."""

    path: str | None
    content: bytes | None
    name: str
    digest: str


def told(value: Any, column: str) -> Told:
    """A recording that a row names, looked at: it can be read, and holds sound.

    Raises:
        ValueError: one sentence that begins with `'column'` or with the file.
    """
    if isinstance(value, str | Path):
        return _told_by_path(str(value), column)
    if isinstance(value, bytes):
        recording = decoded(value, f"'{column}'")
        return Told(None, value, f"a recording of {recording.seconds:.2f} s", _digest(value))
    if isinstance(value, Mapping) and ("bytes" in value or "path" in value):  # datasets.Audio(decode=False)
        return told(value.get("bytes") or value.get("path"), column)
    content = _encoded(*_array_and_rate(value, column), column)
    return told(content, column)


def _told_by_path(path: str, column: str) -> Told:
    if not path.strip():
        raise ValueError(f"'{column}' is empty; name a sound file or take the row out.")
    try:
        require_file(Path(path))
    except UserError as error:
        raise ValueError(str(error)) from None
    if (size_bytes := Path(path).stat().st_size) > MOST_BYTES:
        raise ValueError(f"{path}: has {size_bytes >> 20:,} MB, and at most {MOST_BYTES >> 20:,} are read; cut it.")
    content = Path(path).read_bytes()
    decoded(content, path)
    return Told(path, None, "/".join(Path(path).parts[-2:]), _digest(content))


def read_recording(path: str | None, content: bytes | None) -> Recording:
    """The recording of a file, or of the bytes of one.

    Raises:
        ValueError: it cannot be read any more.
    """
    if path is None:
        assert content is not None, "an example has a path or bytes"
        return decoded(content, "the recording")
    try:
        return decoded(Path(path).read_bytes(), path)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read any more ({error.strerror}).") from None


def decoded(content: bytes, name: str) -> Recording:
    """Sound bytes as mono samples: the mean of all channels.

    Raises:
        ValueError: `name` is no sound file, is damaged or too long, holds no samples, or samples that are no numbers.
    """
    soundfile = need("soundfile", EXTRA)
    try:
        with soundfile.SoundFile(io.BytesIO(content)) as file:
            rate_hz, is_long = file.samplerate, file.frames > MOST_MINUTES * 60 * file.samplerate
            samples = np.zeros((0, 1), np.float32) if is_long else file.read(dtype="float32", always_2d=True)
    except (soundfile.LibsndfileError, RuntimeError, TypeError) as error:
        reason = getattr(error, "error_string", str(error)).strip().rstrip(".")
        raise ValueError(f"{name}: cannot be read as a recording ({reason}); give {READABLE}.") from None
    if is_long:
        raise ValueError(f"{name}: lasts more than {MOST_MINUTES} minutes, the most that is read; cut it at pauses.")
    if not len(samples):
        raise ValueError(f"{name}: holds no samples; record it again or take the row out.")
    if not np.isfinite(samples).all():
        raise ValueError(f"{name}: holds samples that are no numbers (NaN or infinite); convert the file again.")
    return Recording(samples.mean(axis=1, dtype=np.float32), int(rate_hz))


def resampled(recording: Recording, rate_hz: int) -> Samples:
    """Its samples at another rate, by the band-limited interpolation of soxr."""
    if recording.rate_hz == rate_hz:
        return recording.samples
    soxr = need("soxr", EXTRA)
    return np.asarray(soxr.resample(recording.samples, recording.rate_hz, rate_hz), np.float32)


def _array_and_rate(value: Any, column: str) -> tuple[NDArray[Any], Any]:
    """The samples and the rate of what a Python program gives."""
    if isinstance(value, Mapping) and {"array", "sampling_rate"} <= value.keys():
        return np.asarray(value["array"]), value["sampling_rate"]
    if isinstance(value, tuple) and len(value) == 2 and not np.isscalar(value[0]):
        return np.asarray(value[0]), value[1]
    if value is None or (isinstance(value, float) and math.isnan(value)):
        raise ValueError(f"'{column}' is empty; name a sound file or take the row out.")
    kind = "samples without their rate" if isinstance(value, np.ndarray | list) else f"a {type(value).__name__}"
    raise ValueError(
        f"'{column}' is {kind}; give a path, the bytes of a sound file, or "
        "{'array': samples, 'sampling_rate': 16000}."
    )


def _encoded(array: NDArray[Any], rate: Any, column: str) -> bytes:
    """Samples [S] or [S, channels] as the bytes of a wav file of floats."""
    is_rate = isinstance(rate, int | float | np.integer | np.floating) and not isinstance(rate, bool)
    if not is_rate or not LOWEST_HZ <= rate <= HIGHEST_HZ:
        raise ValueError(
            f"'{column}' has a sampling rate of {rate!r}; it is told in Hz, {LOWEST_HZ:,} to {HIGHEST_HZ:,}, "
            "e.g. 16000."
        )
    if array.dtype.kind not in "fi" or array.ndim not in (1, 2):
        raise ValueError(
            f"'{column}' must hold samples of shape [S] or [S, channels], floats or integers; got shape "
            f"{list(array.shape)} of {array.dtype}."
        )
    if array.dtype.kind == "i":
        array = array / np.float32(-float(np.iinfo(array.dtype).min))  # whole numbers of 16 bits, say, as -1 … 1
    written = io.BytesIO()
    need("soundfile", EXTRA).write(written, array.astype(np.float32), int(rate), format="WAV", subtype="FLOAT")
    return written.getvalue()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
