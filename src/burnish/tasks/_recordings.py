"""What tasks that listen share: reading a row's recording, features of it, and batches.

A feature holds:

sound [n]       float32 values as bits: samples, or log-mel bands one after the other
heard [4]       frames that hold sound, frames that are computed, bands (0: samples), values of a band that fill the
                window (0: there is none)
n_units [1]     what it costs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.data.recordings import read_recording, told
from burnish.tasks._contract import Arrays, Encoded, Example, Feature

if TYPE_CHECKING:
    from burnish.models.recordings import Heard, RecordingReader

FIELDS = {"text": "string", "audio": "string", "bytes": "binary", "content": "string"}
"""pyarrow types of what `recording_of` gives."""
HEARD_BY_TRUNK = ("input_features", "input_values", "attention_mask")
"""Those inputs of a batch that an encoder of sound is given, the main one first."""
ROWS_AT_ONCE = 128
"""Half a minute of sound takes up to 2 MB."""


def recording_of(values: Mapping[str, Any]) -> Example:
    """The recording of a row: where it is (or its bytes), what readers are shown, and a digest by which copies show.

    Raises:
        ValueError: there is none, or it cannot be used; one sentence.
    """
    found = told(values.get("audio"), "audio")
    return {"text": found.name, "audio": found.path, "bytes": found.content, "content": found.digest}


def encode_recordings(examples: Sequence[Example], reader: RecordingReader) -> list[Encoded]:
    """One feature a recording."""
    encoded = []
    for example in examples:
        heard = reader.hear(read_recording(example["audio"], example["bytes"]))
        encoded.append(Encoded([_feature(heard, reader)], n_tokens=heard.n_whole, n_cut=heard.n_cut))
    return encoded


def _feature(heard: Heard, reader: RecordingReader) -> Feature:
    return {
        "sound": np.ascontiguousarray(heard.values, np.float32).reshape(-1).view(np.int32),
        "heard": np.asarray([heard.n_frames, heard.n_units, reader.n_bands, reader.columns], np.int32),
        "n_units": np.asarray([heard.n_units], np.int32),
    }


def pad_recordings(features: Sequence[Feature]) -> Arrays:
    """The inputs of B recordings.

    input_features [B, bands, columns] or input_values [B, S], filled up with silence to the window or, where there is
    none, to the longest, with attention_mask [B, S]; and frame_mask [B, T], 1 for the frames that hold sound.
    """
    layouts = np.stack([feature["heard"] for feature in features])
    n_bands, columns = layouts[0, 2:].tolist()
    sounds = [feature["sound"].view(np.float32) for feature in features]
    inputs: Arrays = {"frame_mask": _mask(layouts[:, 0], layouts[:, 1].max())}
    if n_bands:
        inputs["input_features"] = _filled_bands(sounds, n_bands, columns)
    else:
        lengths = np.array([len(sound) for sound in sounds])
        inputs["input_values"] = _filled_samples(sounds, columns or int(lengths.max()))
        if not columns:
            inputs["attention_mask"] = _mask(lengths, lengths.max())
    return inputs


def _mask(lengths: NDArray[Any], width: int) -> NDArray[Any]:
    """[B, width] 1 up to each length."""
    return (np.arange(width) < lengths[:, None]).astype(np.int64)


def _filled_samples(sounds: Sequence[NDArray[np.float32]], width: int) -> NDArray[Any]:
    """[B, width]: behind a recording is silence."""
    filled = np.zeros((len(sounds), width), np.float32)
    for row, sound in zip(filled, sounds, strict=True):
        row[: len(sound)] = sound
    return filled


def _filled_bands(sounds: Sequence[NDArray[np.float32]], n_bands: int, columns: int) -> NDArray[Any]:
    """[B, bands, columns]: the last column of a recording, which is silence, is repeated to the end of the window."""
    filled = np.empty((len(sounds), n_bands, columns), np.float32)
    for row, sound in zip(filled, sounds, strict=True):
        bands = sound.reshape(n_bands, -1)
        row[:, : bands.shape[1]] = bands
        row[:, bands.shape[1] :] = bands[:, -1:]
    return filled
