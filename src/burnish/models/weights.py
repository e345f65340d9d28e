"""Tensors as a safetensors file, with the two habits of its library put right."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def write_weights(tensors: Mapping[str, Tensor], path: Path) -> None:
    """A safetensors file. Raises `OSError`, with the system's number, when the disk refuses."""
    from safetensors.torch import save_file

    with system_errors():
        save_file({name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}, path)


def write_arrays(arrays: Mapping[str, NDArray[Any]], path: Path) -> None:
    """The same of arrays, without torch, in a file that others may read as they may other new files."""
    from safetensors.numpy import save_file

    with system_errors():
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, path)
    _open_to_readers(path)


@contextmanager
def system_errors() -> Iterator[None]:
    """What the system refused, which safetensors tells in words only, as the `OSError` that it is."""
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), str(error)) from error


def open_to_readers(folder: Path) -> None:
    """Give weight files the mode of other new files: safetensors makes them readable by their owner only."""
    for file in folder.rglob("*.safetensors"):
        _open_to_readers(file)


def _open_to_readers(file: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    file.chmod(0o666 & ~mask)
