"""Vectors on disk by the SHA-256 of what they were made of, kept from one run to the next.

A cache is a folder of *segments*. A segment is written whole under a name of its own and never changed, so any number
of processes may write, read and delete at the same time; what two of them made at once is there twice, which does no
harm. Little-endian, one after the other:

    checksum    32 bytes, SHA-256 of the rest
    n, width    2 × int64
    digests     [n] × 32 bytes, in rising order
    vectors     [n, width] × float32

Vectors tell of the texts that they were made of, so folders and files are their owner's alone.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import time
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from burnish.core.errors import UserError
from burnish.core.files import disk_faults, write_bytes

SUFFIX = ".vectors"
ABANDONED_S = 24 * 3600.0
"""Age from which an unfinished file is what a crash left behind."""
DIGEST = "S32"
_HEAD_BYTES = 32 + 16

Digests = NDArray[np.bytes_]
Vectors = NDArray[np.float32]


def digests_of(contents: Iterable[bytes]) -> Digests:
    """[N] the SHA-256 of each content."""
    return np.frombuffer(b"".join(hashlib.sha256(one).digest() for one in contents), DIGEST)


class VectorCache:
    """Vectors [·, width] of one kind, in `root/kind`; all kinds below `root` together take `limit_bytes` at most."""

    def __init__(self, root: Path, kind: str, width: int, limit_bytes: int) -> None:
        self.root = root
        self.folder = root / kind
        self.width = width
        self.limit_bytes = limit_bytes
        self._segments = [_Segment(path, width) for path in _files(self.folder)]

    def find(self, digests: Digests) -> tuple[NDArray[np.bool_], Vectors]:
        """[N] which are known, and [N, width] their vectors; rows of those that are not known hold anything.

        A segment that is damaged, or made for another width, is deleted; what it held is made again.
        """
        is_known = np.zeros(len(digests), bool)
        vectors = np.empty((len(digests), self.width), np.float32)
        for segment in list(self._segments):
            wanted = np.flatnonzero(~is_known)
            try:
                at, rows = segment.find(digests[wanted])
            except OSError:  # another process has deleted it
                self._segments.remove(segment)
            except _DamagedError:
                self._segments.remove(segment)
                segment.path.unlink(missing_ok=True)
            else:
                is_known[wanted[at]] = True
                vectors[wanted[at]] = rows
        return is_known, vectors

    def add(self, digests: Digests, vectors: Vectors) -> None:
        """Keep these; digests are all different. What was used least recently goes where there is no room.

        Raises:
            UserError: the disk refuses.
        """
        order = np.argsort(digests)
        sizes = np.asarray(vectors.shape, np.int64)
        rest = sizes.tobytes() + digests[order].tobytes() + np.ascontiguousarray(vectors[order], np.float32).tobytes()
        if 32 + len(rest) > self.limit_bytes:
            return
        path = self.folder / f"{uuid.uuid4().hex}{SUFFIX}"
        with disk_faults(path):
            self.root.mkdir(parents=True, exist_ok=True)
            for folder in (self.root, self.folder):
                folder.mkdir(mode=0o700, exist_ok=True)
                folder.chmod(0o700)
            write_bytes(path, hashlib.sha256(rest).digest() + rest, is_private=True)
            _make_room(self.root, self.limit_bytes)
        self._segments.append(_Segment(path, self.width))


@dataclass
class _Segment:
    """One file. It is read when it is first searched; its vectors are read when they are wanted."""

    path: Path
    width: int

    def find(self, digests: Digests) -> tuple[NDArray[np.int64], Vectors]:
        """Which of the digests are here, and their vectors."""
        own = self._digests
        places = np.searchsorted(own, digests)
        places[places == len(own)] = 0
        here = np.flatnonzero(own[places] == digests) if len(own) else np.zeros(0, np.int64)
        if not len(here):
            return here, np.empty((0, self.width), np.float32)
        with contextlib.suppress(OSError):  # a cache that may only be read is of use too
            os.utime(self.path)  # used just now
        start = _HEAD_BYTES + own.nbytes
        held = np.memmap(self.path, np.float32, "r", start, (len(own), self.width))
        return here, held[places[here]]  # a copy: the file is let go of

    @cached_property
    def _digests(self) -> Digests:
        """[n], of a file whose every byte was checked."""
        with self.path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
            n, width = struct.unpack("<2q", head[32:]) if len(head) == _HEAD_BYTES else (0, 0)
            if width != self.width or os.fstat(file.fileno()).st_size != _HEAD_BYTES + n * (32 + 4 * width):
                raise _DamagedError
            digests = file.read(32 * n)
            digest = hashlib.sha256(head[32:])
            digest.update(digests)
            while piece := file.read(1 << 20):
                digest.update(piece)
        if digest.digest() != head[:32]:
            raise _DamagedError
        return np.frombuffer(digests, DIGEST)


class _DamagedError(Exception):
    """A segment that is not what was written."""


def _files(folder: Path) -> list[Path]:
    """Segments in a folder, the newest first; none where it cannot be read."""
    try:
        return [path for _, _, path in sorted(_used(folder.glob(f"*{SUFFIX}")), reverse=True)]
    except OSError:
        return []


def _used(paths: Iterable[Path]) -> list[tuple[float, int, Path]]:
    """When each was last used, its bytes, and where it is; without those that another process deletes meanwhile."""
    found = []
    for path in paths:
        try:
            status = path.stat()
        except FileNotFoundError:
            continue
        found.append((status.st_mtime, status.st_size, path))
    return found


def _make_room(root: Path, limit_bytes: int) -> None:
    """Delete what was used least recently until the rest fits; and what crashes left behind."""
    for used_at, _, path in _used(root.glob(f"*/.*{SUFFIX}.tmp-*")):
        if time.time() - used_at > ABANDONED_S:
            path.unlink(missing_ok=True)
    free = limit_bytes
    for _, size_bytes, path in sorted(_used(root.glob(f"*/*{SUFFIX}")), reverse=True):
        free -= size_bytes
        if free < 0:
            path.unlink(missing_ok=True)


class VectorFile:
    """[N, width] vectors of one run on disk, read by index with plain reads, as features are."""

    def __init__(self, path: Path, width: int) -> None:
        self.path = path
        self.width = width
        self._file = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if hasattr(self, "_file"):
            os.close(self._file)

    def read(self, indices: Sequence[int] | NDArray[np.int64]) -> Vectors:
        """The vectors at `indices`, in that order.

        Raises:
            UserError: the file ends before one of them.
        """
        vectors = np.empty((len(indices), self.width), np.float32)
        size = 4 * self.width
        for row, index in zip(vectors, indices, strict=True):
            if os.preadv(self._file, [row.data.cast("B")], int(index) * size) != size:
                raise UserError(f"{self.path}: the prepared data was cut while it was read; run again to rebuild it.")
        return vectors


def store_vectors(path: Path, pieces: Iterable[Vectors], width: int) -> VectorFile:
    """Write pieces [·, width] one after the other, and open the file. Raises `UserError` when the disk refuses."""
    with disk_faults(path), path.open("wb") as file:
        for piece in pieces:
            file.write(np.ascontiguousarray(piece, np.float32).tobytes())
    return VectorFile(path, width)
