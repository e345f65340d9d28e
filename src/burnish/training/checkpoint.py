"""Checkpoints that survive a crash at any moment: a reader finds the newest complete one or the one before, never half.

    step-120.tmp-<uuid>/   files, each fsynced; manifest.json last; the folder fsynced
    step-120/              the rename that publishes it; the parent fsynced
                           read back and verified; only then are older ones deleted

The manifest holds size and SHA-256 of every file, so a file that was cut, zeroed or flipped is found before any
parser sees it, and the reader goes on to the checkpoint before.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from burnish.core import files
from burnish.core.errors import UserError

FORMAT = 1
MANIFEST = "manifest.json"
N_KEPT = 2


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run in one folder. `key` tells recipe and data: those of another are refused."""

    folder: Path
    key: str

    def save(self, step: int, fill: Callable[[Path], None]) -> Path:
        """Publish what `fill` writes into the folder it is given, as the checkpoint of `step`.

        A complete checkpoint of the same step is left as it is: equal steps have equal weights.

        Raises:
            UserError: the disk is full, or the folder cannot be written.
        """
        final = self.folder / f"step-{step}"
        if self._is_complete(final):
            return final
        with files.disk_faults(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f"{final.name}.tmp-{uuid.uuid4().hex}"
            try:
                draft.mkdir()
                fill(draft)
                self._seal(draft, step)
                shutil.rmtree(final, ignore_errors=True)  # damaged, or it would have been complete
                draft.rename(final)
            finally:
                shutil.rmtree(draft, ignore_errors=True)
            files.fsync_folder(self.folder)
        if not self._is_complete(final):
            raise UserError(f"{final}: what was written cannot be read back; check the disk, then use --resume.")
        self._rotate()
        return final

    def newest(self) -> tuple[Path | None, list[Path]]:
        """The newest complete checkpoint, and the damaged ones that are newer.

        Raises:
            UserError: it belongs to another recipe or other data.
        """
        damaged: list[Path] = []
        for path in self._all():
            if self._is_complete(path):
                self._refuse_foreign(path)
                return path, damaged
            damaged.append(path)
        return None, damaged

    def sweep(self) -> None:
        """Delete drafts that a crash left behind."""
        for draft in self.folder.glob("step-*.tmp-*"):
            shutil.rmtree(draft)

    def clear(self) -> None:
        """Delete every checkpoint: the run starts anew."""
        for path in self._all():
            shutil.rmtree(path)

    def _all(self) -> list[Path]:
        """Newest first."""
        found = [path for path in self.folder.glob("step-*") if re.fullmatch(r"step-\d+", path.name)]
        return sorted(found, key=lambda path: int(path.name.removeprefix("step-")), reverse=True)

    def _seal(self, draft: Path, step: int) -> None:
        names = sorted(path.name for path in draft.iterdir())
        manifest = {
            "format": FORMAT,
            "step": step,
            "key": self.key,
            "files": {name: _fingerprint(draft / name) for name in names},
        }
        files.fsync_tree(draft)
        (draft / MANIFEST).write_bytes(orjson.dumps({**manifest, "sha256": _digest(manifest)}))
        files.fsync_tree(draft)

    def _is_complete(self, path: Path) -> bool:
        """Whether every file is as the manifest says, and the manifest as it was written."""
        try:
            manifest = orjson.loads((path / MANIFEST).read_bytes())
            is_whole = manifest.pop("sha256") == _digest(manifest) and path.name == f"step-{manifest['step']}"
            return is_whole and all(
                _fingerprint(path / name) == fingerprint for name, fingerprint in manifest["files"].items()
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return False

    def _refuse_foreign(self, path: Path) -> None:
        manifest = files.read_json(path / MANIFEST)
        if manifest["format"] != FORMAT:
            raise UserError(
                f"{path}: the checkpoint has format {manifest['format']} and this Burnish reads format {FORMAT}; "
                "resume with the Burnish that wrote it, or run without --resume."
            )
        if manifest["key"] != self.key:
            raise UserError(
                f"{path}: the checkpoint belongs to another recipe or other data; "
                "go back to what it was made with, or run without --resume to start anew."
            )

    def _rotate(self) -> None:
        for path in self._all()[N_KEPT:]:
            shutil.rmtree(path)


def _fingerprint(path: Path) -> dict[str, Any]:
    return {"size_bytes": path.stat().st_size, "sha256": files.sha256_of(path)}


def _digest(manifest: dict[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(manifest, option=orjson.OPT_SORT_KEYS)).hexdigest()
