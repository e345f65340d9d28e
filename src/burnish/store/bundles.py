"""Bundles by the digest of their manifest, which holds the digest of every file: the same content lies there once.

Locally a folder of folders; with a URL such as `s3://bucket/burnish` they lie there, through fsspec, and what is used
here is copied into the local folder first.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from burnish.core.errors import UserError
from burnish.core.files import disk_faults, new_folder, sha256_of
from burnish.core.manifest import MANIFEST, verify_manifest
from burnish.core.shelves import need


@dataclass(frozen=True)
class Bundles:
    """Where released bundles lie."""

    folder: Path
    remote: str = ""
    """URL that fsspec knows, e.g. `s3://bucket/burnish`; empty: the folder is all there is."""

    def put(self, bundle: Path) -> str:
        """Keep a copy of a bundle; returns its digest.

        Raises:
            UserError: the bundle is damaged, or the copy cannot be written.
        """
        verify_manifest(bundle)
        digest = sha256_of(bundle / MANIFEST)
        if not (self.folder / digest).is_dir():
            with disk_faults(self.folder), new_folder(self.folder / digest) as folder:
                _copy(bundle, folder)
        if self.remote:
            self._send(digest)
        return digest

    def get(self, digest: str) -> Path:
        """The folder of a bundle, verified.

        Raises:
            UserError: it is not there, or it is damaged.
        """
        folder = self.folder / digest
        if not folder.is_dir() and self.remote:
            self._fetch(digest)
        if not folder.is_dir():
            raise UserError(f"{folder}: the bundle of a release is missing; restore the folder from a backup.")
        if sha256_of(folder / MANIFEST) != digest:
            raise UserError(f"{folder}: its {MANIFEST} was changed; restore the folder from a backup.")
        verify_manifest(folder)
        return folder

    def _send(self, digest: str) -> None:
        files, place = self._remote(digest)
        if not files.exists(f"{place}/{MANIFEST}"):  # it is sent last
            local = self.folder / digest
            for file in sorted(local.rglob("*"), key=lambda one: one.name == MANIFEST):
                if file.is_file():
                    files.makedirs(f"{place}/{file.relative_to(local).parent}".removesuffix("/."), exist_ok=True)
                    files.put_file(str(file), f"{place}/{file.relative_to(local).as_posix()}")

    def _fetch(self, digest: str) -> None:
        files, place = self._remote(digest)
        if not files.exists(f"{place}/{MANIFEST}"):
            raise UserError(f"{self.remote}: holds no bundle {digest[:12]}…; was it removed there?")
        with new_folder(self.folder / digest) as folder:
            files.get(f"{place}/", f"{folder}/", recursive=True)

    def _remote(self, digest: str) -> tuple[Any, str]:
        fsspec = need("fsspec", "remote")
        try:
            files, place = fsspec.core.url_to_fs(self.remote)
        except (ImportError, ValueError) as error:
            raise UserError(f"{self.remote}: bundles cannot be kept there ({error}).") from None
        return files, f"{place}/{digest}"


def _copy(bundle: Path, folder: Path) -> None:
    for file in bundle.rglob("*"):
        if file.is_file():
            target = folder / file.relative_to(bundle)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
