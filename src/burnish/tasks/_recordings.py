"""What tasks that listen share: reading a row's recording, features of it, and batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from burnish.data.recordings import read_recording, told
from burnish.tasks._contract import Encoded, Example, Feature

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.recordings import Heard, RecordingReader

FIELDS = {"text": "string", "audio": "string", "audio_bytes": "binary", "content": "string"}
"""pyarrow types of what `recording_of` gives."""


def recording_of(values: Mapping[str, Any]) -> Example:
    """The recording of a row: where it is (or its bytes), what readers are shown, and a digest by which copies show.

    Raises:
        ValueError: there is none, or it cannot be used; one sentence.
    """
    found = told(values.get("audio"), "audio")
    return {"text": found.name, "audio": found.path, "audio_bytes": found.content, "content": found.digest}


def encode_recordings(examples: Sequence[Example], reader: RecordingReader) -> list[Encoded]:
    """One feature a recording: `sound` (float32 values as bits), `n_units` [1], and how they are laid out, `heard` [4]."""
    encoded = []
    for example in examples:
        heard = reader.hear(read_recording(example["audio"], example["audio_bytes"]))
        encoded.append(Encoded([_feature(heard, reader)], n_tokens=heard.n_whole, n_cut=heard.n_cut))
    return encoded


def _feature(heard: Heard, reader: RecordingReader) -> Feature:
    return {
        "sound": np.ascontiguousarray(heard.values, np.float32).reshape(-1).view(np.int32),
        "n_units": np.asarray([heard.n_units], np.int32),
        "heard": np.asarray([heard.n_frames, reader.n_bands, reader.columns], np.int32),
    }


def pad_recordings(features: Sequence[Feature]) -> tuple[dict[str, Tensor], int]:
    """The inputs of B recordings, and how many frames are computed.

    input_features [B, bands, columns] or input_values [B, S], filled up with silence to the window, or, where there is
    none, to the longest, with attention_mask [B, S]; and frame_mask [B, T], 1 for the frames that hold sound.
    """
    import torch

    from burnish.models.listening import frame_mask

    layouts = np.stack([feature["heard"] for feature in features])
    n_units = [int(feature["n_units"][0]) for feature in features]
    n_bands, columns = (int(value) for value in layouts[0, 1:])
    sounds = [feature["sound"].view(np.float32) for feature in features]
    inputs = {"frame_mask": frame_mask(layouts[:, 0].tolist(), max(n_units))}
    if n_bands:
        inputs["input_features"] = torch.from_numpy(_filled_bands(sounds, n_bands, columns))
        return inputs, sum(n_units)
    lengths = [len(sound) for sound in sounds]
    values = np.zeros((len(sounds), columns or max(lengths)), np.float32)
    for row, sound in zip(values, sounds, strict=True):
        row[: len(sound)] = sound
    inputs["input_values"] = torch.from_numpy(values)
    if not columns:
        inputs["attention_mask"] = frame_mask(lengths, max(lengths))
    return inputs, sum(n_units)


def _filled_bands(sounds: Sequence[np.ndarray[Any, Any]], n_bands: int, columns: int) -> np.ndarray[Any, Any]:
    """[B, bands, columns]: the last column of a recording, which is silence, is repeated to the end of the window."""
    filled = np.empty((len(sounds), n_bands, columns), np.float32)
    for row, sound in zip(filled, sounds, strict=True):
        bands = sound.reshape(n_bands, -1)
        row[:, : bands.shape[1]] = bands
        row[:, bands.shape[1] :] = bands[:, -1:]
    return filled
