"""Texts put on disk for a while, then read by number: memory holds eight bytes a text."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

PIECE_BYTES = 1 << 20


class TextSpool:
    """Add all texts first, then read. The file has no name and vanishes with the process."""

    def __init__(self, work: Path) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self._file = tempfile.TemporaryFile(dir=work)  # noqa: SIM115  # closed by __exit__
        self._ends = array("q", [0])

    def __enter__(self) -> TextSpool:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def add(self, text: str) -> None:
        content = text.encode("utf-8", "surrogatepass")
        self._file.write(content)
        self._ends.append(self._ends[-1] + len(content))

    def sizes(self, numbers: Ints) -> Ints:
        """Bytes of each of these texts."""
        return self._starts[numbers + 1] - self._starts[numbers]

    def read(self, numbers: Ints) -> list[str]:
        """The texts with these ascending numbers; in one read when they lie close together."""
        if not len(numbers):
            return []
        starts, sizes = self._starts[numbers], self.sizes(numbers)
        span = int(starts[-1] + sizes[-1] - starts[0])
        if span > 8 * (int(sizes.sum()) + PIECE_BYTES // 8):
            contents = [pread(self._number, size, at) for at, size in zip(starts.tolist(), sizes.tolist(), strict=True)]
        else:
            near = pread(self._number, span, int(starts[0]))
            places = (starts - starts[0]).tolist()
            contents = [near[at : at + size] for at, size in zip(places, sizes.tolist(), strict=True)]
        return [content.decode("utf-8", "surrogatepass") for content in contents]

    def pieces(self, numbers: Ints) -> Iterator[tuple[int, int]]:
        """(begin, end) positions in `numbers`, cut about every megabyte of text."""
        return pieces(self.sizes(numbers))

    @cached_property
    def _number(self) -> int:
        self._file.flush()
        return self._file.fileno()

    @cached_property
    def _starts(self) -> Ints:
        """[texts + 1] where each begins, and where the last ends."""
        return np.frombuffer(self._ends, np.int64)


def pieces(sizes: Ints) -> Iterator[tuple[int, int]]:
    """(begin, end) of neighbouring items that hold about a megabyte together, at least one item each."""
    marks = np.cumsum(sizes + 8) // PIECE_BYTES  # 8: even empty texts fill a piece in the end
    begin = 0
    for end in [*(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(sizes)]:
        if end > begin:
            yield begin, end
        begin = end


def pread(descriptor: int, size: int, place: int) -> bytes:
    """Exactly `size` bytes from `place`; one system call may bring at most 2 GiB."""
    content = os.pread(descriptor, size, place)
    while len(content) < size:
        more = os.pread(descriptor, size - len(content), place + len(content))
        if not more:
            raise EOFError(f"a temporary file ends {size - len(content)} bytes early")
        content += more
    return content
