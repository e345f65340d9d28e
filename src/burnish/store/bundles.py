"""Bundles by the digest of their manifest, which holds the digest of every file: the same content lies there once.

Locally a folder of folders; with a URL such as `s3://bucket/burnish` they lie there, through fsspec, and what is used
here is copied into the local folder first.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from burnish.core.errors import BurnishError, UserError
from burnish.core.files import disk_faults, new_folder, sha256_of
from burnish.core.manifest import MANIFEST, verify_manifest
from burnish.core.shelves import need
from burnish.store.locks import locked

DIGEST = re.compile("[0-9a-f]{64}")
COPYING_S = 600.0
"""How long one waits for another process that copies a bundle."""


@dataclass(frozen=True)
class Bundles:
    """Where released bundles lie."""

    folder: Path
    remote: str = ""
    """URL that fsspec knows, e.g. `s3://bucket/burnish`; empty: the folder is all there is."""

    def put(self, bundle: Path) -> str:
        """Keep a copy of a bundle, also in place of a damaged one; returns its digest.

        Raises:
            UserError: the bundle is damaged, or the copy cannot be written.
        """
        verify_manifest(bundle)
        digest = sha256_of(bundle / MANIFEST)
        with self._alone():
            if not self._is_whole(digest):
                shutil.rmtree(self.folder / digest, ignore_errors=True)
                with disk_faults(self.folder), new_folder(self.folder / digest) as folder:
                    _copy(bundle, folder)
                    _check(folder, digest)
        if self.remote:
            self._send(digest)
        return digest

    def get(self, digest: str) -> Path:
        """The folder of a bundle, verified.

        Raises:
            UserError: it is not there, or it is damaged.
        """
        if not DIGEST.fullmatch(digest):
            raise UserError(f"{digest[:80]!r} is no digest of a bundle: it has 64 of 0-9 a-f.")
        folder = self.folder / digest
        if not folder.is_dir() and self.remote:
            with self._alone():
                if not folder.is_dir():
                    self._fetch(digest)
        if not folder.is_dir():
            raise UserError(f"{folder}: the bundle of a release is missing; restore the folder from a backup.")
        _check(folder, digest)
        return folder

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """One process at a time copies."""
        with disk_faults(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / ".lock", COPYING_S):
            yield

    def _is_whole(self, digest: str) -> bool:
        try:
            _check(self.folder / digest, digest)
        except UserError:
            return False
        return True

    def _send(self, digest: str) -> None:
        with self._reached(digest) as (files, place):
            if files.exists(f"{place}/{MANIFEST}"):  # it is sent last
                return
            local = self.folder / digest
            for name in (*_files_of(local), MANIFEST):
                target = f"{place}/{name}"
                files.makedirs(target.rsplit("/", 1)[0], exist_ok=True)
                files.put_file(str(local / name), target)

    def _fetch(self, digest: str) -> None:
        """The manifest first: only what it lists is asked for, whatever else lies there under whatever name."""
        with self._reached(digest) as (files, place):
            if not files.exists(f"{place}/{MANIFEST}"):
                raise UserError(f"{self.remote}: holds no bundle {digest[:12]}…; was it removed there?")
            with disk_faults(self.folder), new_folder(self.folder / digest) as folder:
                files.get_file(f"{place}/{MANIFEST}", str(folder / MANIFEST))
                if sha256_of(folder / MANIFEST) != digest:
                    raise UserError(f"{self.remote}: the {MANIFEST} of the bundle {digest[:12]}… was changed there.")
                for name in _files_of(folder):
                    (folder / name).parent.mkdir(parents=True, exist_ok=True)
                    files.get_file(f"{place}/{name}", str(folder / name))
                verify_manifest(folder)

    @contextmanager
    def _reached(self, digest: str) -> Iterator[tuple[Any, str]]:
        """The remote place of a bundle; what its library raises there becomes one sentence."""
        fsspec = need("fsspec", "remote")
        try:
            files, place = fsspec.core.url_to_fs(self.remote)
            yield files, f"{place}/{digest}"
        except BurnishError:
            raise
        except Exception as error:  # every kind of remote place has its own errors
            told = str(error).split("\n")[0]
            raise UserError(f"{self.remote}: cannot be used now ({type(error).__name__}: {told}).") from error


def _check(folder: Path, digest: str) -> None:
    if not (folder / MANIFEST).is_file() or sha256_of(folder / MANIFEST) != digest:
        raise UserError(f"{folder}: its {MANIFEST} is missing or was changed; restore the folder from a backup.")
    verify_manifest(folder)


def _files_of(folder: Path) -> list[str]:
    """What a manifest lists.

    Raises:
        UserError: a name in it leads out of the folder.
    """
    from burnish.core.files import read_json

    names = sorted(read_json(folder / MANIFEST)["files"])
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\\" in name:
            raise UserError(f"{folder}: the {MANIFEST} lists {name!r}, which lies outside of the bundle.")
    return names


def _copy(bundle: Path, folder: Path) -> None:
    for file in bundle.rglob("*"):
        if file.is_file():
            target = folder / file.relative_to(bundle)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
