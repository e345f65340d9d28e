"""A path that the user gave must be a file that can be read; otherwise one sentence says what is there instead."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError, hint


def require_file(path: Path) -> None:
    """Raise `UserError` unless `path` is a readable file with at least one byte."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a file in it.")
    if not path.exists():
        raise UserError(_missing(path))
    if not path.is_file():
        raise UserError(
            f"{path}: is neither a file nor a folder (a pipe or a device?); data is read twice, so save it."
        )
    if not os.access(path, os.R_OK):
        raise UserError(f"{path}: may not be read (permission denied); change its permissions, or name another file.")
    if path.stat().st_size == 0:
        raise UserError(f"{path}: the file is empty (0 bytes).")


def led_from(folder: Path, values: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """`values` with those of `names` that are paths led from `folder`, where the file that tells them lies."""
    led = dict(values)
    for name in names:
        value = values.get(name)
        if isinstance(value, Path) or (isinstance(value, str) and value.strip() and "://" not in value):
            led[name] = str(folder / Path(value.strip() if isinstance(value, str) else value).expanduser())
    return led


def require_folder(path: Path) -> None:
    """Raise `UserError` unless `path` is a folder."""
    if path.is_file():
        raise UserError(f"{path}: is a file; name the folder that holds the files.")
    if not path.is_dir():
        raise UserError(_missing(path))


def _missing(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        siblings = [item.name for item in folder.parent.iterdir() if item.is_dir()] if folder.parent.is_dir() else []
        return f"{path}: there is no folder '{folder}'.{hint(folder.name, siblings)}"
    return f"{path}: there is no such file in '{folder.resolve()}'.{hint(path.name, _names_in(folder))}"


def _names_in(folder: Path) -> list[str]:
    try:
        return sorted(item.name for item in folder.iterdir())
    except OSError:
        return []
