"""What tasks that read pictures share: a picture from a row, its feature, a batch of them, small changes to them.

A picture in a row is the path of a file, or from Python bytes, a PIL image, an array [height, width, 3] or the mapping
of `bytes` and `path` that data sets have. Its feature:

pixels [height · width · 3 / 4]   bytes, four in each integer
frame [8]                         height, width; slope and offset of each colour, as the bits of float32
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import hint
from burnish.models.pictures import open_picture
from burnish.tasks._contract import Example, Feature
from burnish.tasks._rows import is_missing
from burnish.tasks._towers import TEXT

if TYPE_CHECKING:
    from burnish.models.pictures import PictureReader

FIELDS = {"image": "string", "bytes": "binary", "content": "string"}
"""Columns of an example that hold its picture: the path, or the bytes where it has none, and their digest."""

NOTHING: Example = {"image": None, "bytes": None, "content": None}
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm")
MOST_BYTES = 64 << 20
CHECKED_SIDE = 64  # enough to see whether a JPEG is whole, and four times as quick as all of it
MOST_SHIFT = 8  # a crop is moved by up to an eighth of a side
ROWS_AT_ONCE = 256  # a picture of 224 × 224 takes 150 kB

Bytes = NDArray[np.uint8]


def read_picture(value: Any) -> Example:
    """The picture in a cell, looked at as a whole.

    Raises:
        ValueError: there is none, or it cannot be read; one sentence.
    """
    if isinstance(value, Mapping):
        value = value.get("bytes") or value.get("path")
    if value is None or (isinstance(value, str | float) and is_missing(value)):
        raise ValueError(
            "'image' is empty; give it a picture or take the row out (data.bad_rows: drop skips such rows)."
        )
    if isinstance(value, str | Path):
        content, name = _content_of(str(value)), str(value)
    else:
        content, name = _from_python(value), None
    try:
        open_picture(content, CHECKED_SIDE)
    except ValueError as error:
        raise ValueError(f"'image': {name or 'the picture'} {error}") from None
    digest = hashlib.sha256(content).hexdigest()
    return {"image": name, "bytes": None if name else content, "content": digest}


def _content_of(name: str) -> bytes:
    if "://" in name:
        raise ValueError(f"'image' names an address, {name}; download the picture and name its file.")
    path = Path(name)
    if path.is_dir():
        raise ValueError(f"'image' names a folder, {path}; name a file in it.")
    if not path.is_file():
        near = hint(path.name, [one.name for one in path.parent.iterdir()] if path.parent.is_dir() else [])
        raise ValueError(f"'image' names {path}, which is not there.{near}")
    size = path.stat().st_size
    if size > MOST_BYTES:
        raise ValueError(f"'image': {path} has {size >> 20:,} MB, and at most {MOST_BYTES >> 20} are read; shrink it.")
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"'image': {path} cannot be read ({error.strerror}).") from None


def _from_python(value: Any) -> bytes:
    """Bytes as they are; a PIL image or an array as PNG, which loses nothing."""
    if isinstance(value, bytes):
        return value
    if hasattr(value, "save") and hasattr(value, "mode"):
        return _as_png(value)
    if isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim in (2, 3):
        from PIL import Image

        try:
            return _as_png(Image.fromarray(value))
        except TypeError:
            pass  # of a number of colours that no picture has
    shape = f" {value.dtype} {list(value.shape)}" if isinstance(value, np.ndarray) else ""
    raise ValueError(
        f"'image' must be a path, bytes, a PIL image or a uint8 array [height, width, 3]; got "
        f"{type(value).__name__}{shape}."
    )


def _as_png(image: Any) -> bytes:
    stream = io.BytesIO()
    (image.convert("RGB") if image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "F") else image).save(stream, "PNG")
    return stream.getvalue()


def load_readers(folder: Path, text_folder: Path | None, max_length: int | None, prompt: str) -> PictureReader:
    """The reader of pictures in `folder` and of texts in `text_folder`; where that is None, as a bundle has them."""
    from burnish.models.pictures import load_pictures
    from burnish.models.tokenizer import load_tokenizer

    texts = text_folder or folder / TEXT
    return load_pictures(folder, load_tokenizer(texts, max_length, False, prompt), texts)


def picture_feature(example: Example, reader: PictureReader) -> Feature:
    """The feature of an example's picture; its file is read again, as it may be larger than memory with all others."""
    content = example["bytes"] or Path(example["image"]).read_bytes()
    frame = np.zeros(8, np.int32)
    frame[:2] = reader.height, reader.width
    frame[2:] = np.array([*reader.slope, *reader.offset], np.float32).view(np.int32)
    return {"pixels": _packed(reader.pixels(open_picture(content))), "frame": frame}


def _packed(pixels: Bytes) -> NDArray[np.int32]:
    flat = pixels.reshape(-1)
    return np.pad(flat, (0, -len(flat) % 4)).view(np.int32)


def pixels_of(feature: Feature) -> Bytes:
    """[height, width, 3] of a feature."""
    height, width = (int(side) for side in feature["frame"][:2])
    flat = np.ascontiguousarray(feature["pixels"]).view(np.uint8)
    return flat[: height * width * 3].reshape(height, width, 3)


def stack_pictures(features: Sequence[Feature]) -> NDArray[np.float32]:
    """[B, 3, height, width] float32 in the range that the base was made with; colours lie innermost in memory."""
    numbers = np.stack([feature["frame"][2:].view(np.float32) for feature in features])
    pixels = np.stack([pixels_of(feature) for feature in features]).astype(np.float32)
    pixels *= numbers[:, None, None, :3]
    pixels += numbers[:, None, None, 3:]
    return pixels.transpose(0, 3, 1, 2)


def augmented(feature: Feature, draw: np.random.Generator) -> Feature:
    """The feature with its picture as it might have been taken too: mirrored or not, moved by up to an eighth.

    What a move uncovers is filled with the edge (He et al. 2016, arXiv 1512.03385, §4.2 pad with zeros).
    """
    pixels = pixels_of(feature)
    if draw.random() < 0.5:
        pixels = pixels[:, ::-1]
    height, width = pixels.shape[:2]
    down, right = (int(draw.integers(-(side // MOST_SHIFT), side // MOST_SHIFT + 1)) for side in (height, width))
    rows, columns = (np.clip(np.arange(side) + by, 0, side - 1) for side, by in ((height, down), (width, right)))
    return {**feature, "pixels": _packed(np.ascontiguousarray(pixels[rows][:, columns]))}
