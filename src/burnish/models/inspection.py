"""Look at a model folder before any library parses it: complete, undamaged, safetensors, no code.

The safetensors layout is checked by hand (8-byte little-endian header length, JSON header, then exactly the
bytes that the header's offsets promise: https://huggingface.co/docs/safetensors), so a cut file, a pickle under
another name or a lying header is named in one sentence instead of failing inside a library.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError

MAX_HEADER_BYTES = 100 << 20
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.h5", "*.msgpack")
PICKLE_STARTS = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")
REFUSED_KEYS = ("auto_map", "_attn_implementation_internal", "_target_", "custom_pipelines")


def inspect_base(folder: Path) -> None:
    """Raise `UserError` unless `folder` holds a model that can be loaded safely."""
    read_config(folder)
    for file in weight_files(folder):
        inspect_safetensors(file)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json as a dict, refused when it asks for code or is not a model's."""
    path = folder / "config.json"
    if not path.is_file():
        raise UserError(f"base: {folder} is not a model: it has no config.json. Give a folder in Hugging Face layout.")
    try:
        config = json.loads(path.read_text("utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise UserError(f"base: {path} is not valid JSON ({error}); fetch the model again.") from None
    if not isinstance(config, dict) or "model_type" not in config:
        raise UserError(f"base: {path} names no model_type, so it is not a transformers model.")
    for key in REFUSED_KEYS:
        if key in config:
            raise UserError(f"base: {path} has '{key}', which asks to run code; Burnish never runs code of a model.")
    return config


def output_names(folder: Path) -> tuple[str, ...]:
    """What a base calls the outputs of the head that it was saved with; transformers names two where it names none."""
    named = read_config(folder).get("id2label")
    if not isinstance(named, dict) or not all(str(key).isdigit() for key in named):
        return ("LABEL_0", "LABEL_1")
    return tuple(str(named[key]) for key in sorted(named, key=int))


def weight_files(folder: Path) -> list[Path]:
    """The safetensors files of a model folder: one file, or the shards that its index names."""
    index = folder / "model.safetensors.index.json"
    if index.is_file():
        files = [folder / Path(name).name for name in _shards(index)]
        missing = [file.name for file in files if not file.is_file()]
        if missing:
            raise UserError(f"base: {folder} lacks {missing[0]}, a weight file that its index names; fetch it again.")
        return files
    single = folder / "model.safetensors"
    if single.is_file():
        return [single]
    pickles = sorted(file.name for pattern in PICKLES for file in folder.glob(pattern))
    if pickles:
        raise UserError(
            f"base: {folder} holds its weights as {pickles[0]}, a format that can run code; Burnish reads safetensors "
            "only. Get a safetensors version of the model, or convert it with the model's own library."
        )
    raise UserError(f"base: {folder} has a config.json but no model.safetensors.")


def _shards(index: Path) -> list[str]:
    try:
        return sorted(set(json.loads(index.read_text("utf-8"))["weight_map"].values()))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"base: {index} is damaged; fetch the model again.") from None


def inspect_safetensors(path: Path) -> None:
    """Raise `UserError` when the file is cut, damaged, or something else under that name."""
    size_bytes = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(8)
        if start.startswith(PICKLE_STARTS):
            raise UserError(f"{path}: is a pickle or archive under the name of safetensors; it is refused.")
        header_bytes = int.from_bytes(start, "little")
        if len(start) < 8 or not 2 <= header_bytes <= min(MAX_HEADER_BYTES, max(size_bytes - 8, 0)):
            raise UserError(f"{path}: is not a safetensors file, or is cut; fetch it again.")
        header = _parsed(file.read(header_bytes))
    if header is None:
        raise UserError(f"{path}: its safetensors header is damaged; fetch it again.")
    expected_bytes = 8 + header_bytes + _extent(header)
    if expected_bytes != size_bytes:
        raise UserError(
            f"{path}: should have {expected_bytes:,} bytes by its header, but has {size_bytes:,}; fetch it again."
        )


def _parsed(raw: bytes) -> dict[str, Any] | None:
    try:
        header = json.loads(raw)
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        return None
    return header if isinstance(header, dict) else None


def _extent(header: dict[str, Any]) -> int:
    """Bytes of tensor data that the header promises; -1 (never a size) when an entry is malformed."""
    ends = [0]
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        try:
            ends.append(int(entry["data_offsets"][1]))
        except (TypeError, KeyError, IndexError, ValueError):
            return -1
    return max(ends)
