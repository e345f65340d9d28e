"""The manifest: SHA-256 and size of every file of a bundle, checked before any parser touches one of them."""

from __future__ import annotations

import os
from pathlib import Path

from burnish.core.errors import Faults, UserError
from burnish.core.files import read_json, sha256_of, write_json

MANIFEST = "manifest.json"
FORMAT = 1


def write_manifest(folder: Path) -> None:
    """Record every file below `folder`."""
    files = {
        name: {"sha256": sha256_of(folder / name), "size_bytes": (folder / name).stat().st_size}
        for name in _files_below(folder)
    }
    write_json(folder / MANIFEST, {"format": FORMAT, "files": files})


def verify_manifest(folder: Path) -> None:
    """Raise `UserError` unless every file is there, unchanged, and nothing was added."""
    listed = _listed(folder)
    present = set(_files_below(folder))
    faults = Faults()
    for name in sorted(listed.keys() - present):
        faults.add(f"{folder}: the file {name} is missing; copy the bundle again.")
    for name in sorted(present - listed.keys()):
        faults.add(f"{folder}: the file {name} is not part of the bundle; take it out.")
    for name in sorted(listed.keys() & present):
        if (folder / name).is_symlink() or not (folder / name).is_file():  # a pipe would be read for ever
            faults.add(f"{folder}: {name} is a link or no file; a bundle holds plain files only.")
        elif sha256_of(folder / name) != listed[name]:
            faults.add(f"{folder}: the file {name} was changed or damaged (SHA-256 differs); copy the bundle again.")
    faults.raise_if_any()


def _listed(folder: Path) -> dict[str, str]:
    if not folder.is_dir():
        raise UserError(f"{folder}: there is no such bundle; give the folder that `burnish fit` wrote.")
    if not (folder / MANIFEST).is_file():
        raise UserError(f"{folder}: is not a bundle: it has no {MANIFEST}.")
    content = read_json(folder / MANIFEST)
    try:
        number, listed = content["format"], {name: entry["sha256"] for name, entry in content["files"].items()}
    except (TypeError, KeyError, AttributeError):
        raise UserError(f"{folder}: its {MANIFEST} is damaged; copy the bundle again.") from None
    if number != FORMAT:
        raise UserError(f"{folder}: is of bundle format {number}; this Burnish reads format {FORMAT}. Update Burnish.")
    return listed


def _files_below(folder: Path) -> list[str]:
    found = []
    for root, folders, names in os.walk(folder):
        links = [name for name in folders if os.path.islink(os.path.join(root, name))]
        found += [os.path.relpath(os.path.join(root, name), folder) for name in names + links]
    return sorted(name.replace(os.sep, "/") for name in found if name != MANIFEST)
