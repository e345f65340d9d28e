"""Files that a reader only ever sees whole: written to a temporary neighbour, fsynced, then renamed.

The order (each file fsynced, the folder fsynced, rename, the parent fsynced) is what makes a rename survive
a crash: Pillai et al. 2014, "All File Systems Are Not Created Equal", OSDI.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from burnish.core.errors import UserError


def write_bytes(path: Path, content: bytes, *, is_private: bool = False) -> None:
    """Replace `path` by `content` atomically and durably; a private file is its owner's alone from the first byte."""
    neighbour = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(neighbour, "wb", opener=_opened_privately if is_private else None) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            neighbour.replace(path)
            fsync_folder(path.parent)
        finally:
            neighbour.unlink(missing_ok=True)


def _opened_privately(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def write_json(path: Path, value: Any) -> None:
    """`value` as indented, key-ordered JSON, atomically. numpy arrays and scalars are allowed."""
    options = orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS
    write_bytes(path, orjson.dumps(value, option=options))


def read_json(path: Path) -> Any:
    """Parsed JSON of a file of ours. Raises `UserError` naming the file when it is damaged."""
    try:
        return orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise UserError(f"{path}: cannot be read as JSON ({error}).") from None


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Build a folder beside `path`, then rename it into place when the block ends without an error.

    Raises:
        UserError: `path` exists and is not an empty folder, or its parent cannot be written.
    """
    refuse_occupied(path)
    neighbour = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    try:
        with disk_faults(path):
            neighbour.mkdir(parents=True)
            yield neighbour
            fsync_tree(neighbour)
            if path.is_dir():
                path.rmdir()
            neighbour.rename(path)
            fsync_folder(path.parent)
    except UserError as error:  # of a file inside: its place is told as if the folder were there already
        faults = [fault.replace(f"{neighbour}", f"{path}") for fault in error.faults]
        raise UserError(*faults, n_more=error.n_more) from error.__cause__
    finally:
        shutil.rmtree(neighbour, ignore_errors=True)


def refuse_occupied(path: Path) -> None:
    """Raise `UserError` unless `path` is free (absent, or an empty folder) and its parent can be written."""
    if path.is_dir() and any(path.iterdir()):
        raise UserError(f"{path}: the folder is not empty; choose another, or remove it first.")
    if path.exists() and not path.is_dir():
        raise UserError(f"{path}: is a file, not a folder; choose another place.")
    parent = next(folder for folder in [path, *path.absolute().parents] if folder.exists())
    if not parent.is_dir():
        raise UserError(f"{path}: a part of the path, {parent}, is a file; choose another place.")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise UserError(f"{path}: the folder {parent} cannot be written; choose another place.")


def refuse_folder(path: Path) -> None:
    """Raise `UserError` where a file is to be written and a folder stands."""
    if path.is_dir():
        raise UserError(f"{path}: is a folder; name a file in it.")


@contextmanager
def disk_faults(path: Path) -> Iterator[None]:
    """Turn the operating system's refusals (disk full, no permission, read-only, no such place) into one sentence."""
    reasons = {
        errno.ENOSPC: "the disk is full; free some space and run the same command again",
        errno.EDQUOT: "the disk quota is used up; free some space and run the same command again",
        errno.EACCES: "permission denied; choose a folder that you may write",
        errno.EPERM: "permission denied; choose a folder that you may write",
        errno.EROFS: "the file system is read-only; choose another folder",
    }
    try:
        yield
    except OSError as error:
        reason = reasons.get(error.errno or 0) or _misplaced(path, error)
        if reason is None:
            raise
        raise UserError(f"{path}: cannot be written: {reason}.") from error


def _misplaced(path: Path, error: OSError) -> str | None:
    """What is wrong with `path` itself, where that is why the system refused; None where it is no fault of the path."""
    if error.errno == errno.EISDIR and path.is_dir():
        return "it is a folder; name a file in it"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        file = next((one for one in path.parents if one.exists() and not one.is_dir()), None)
        return f"a part of the path, {file}, is a file; choose another place" if file else None
    refused = Path(error.filename or "")
    if error.errno == errno.ENOENT and (refused in path.parents or refused.parent == path.parent):
        return "nothing can be made there; choose another folder"
    return None


def fsync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_tree(root: Path) -> None:
    """Fsync every file and folder below `root`, and `root` itself."""
    for folder, _, names in os.walk(root):
        for name in names:
            descriptor = os.open(os.path.join(folder, name), os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        fsync_folder(Path(folder))


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in 1 MiB pieces."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()
