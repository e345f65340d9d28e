"""From what a recipe calls `base` to a folder on this machine that is safe to load: a model's, or a bundle's."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from burnish.core.errors import UserError, hint, listed
from burnish.core.manifest import MANIFEST, verify_manifest
from burnish.core.settings import settings
from burnish.core.shelves import Shelf, need
from burnish.models.bases._contract import Base
from burnish.models.inspection import inspect_base

HUB = "hub:"
HUB_FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "LICENSE*"]
MODEL = "model"  # a bundle's folder in plain Hugging Face layout
NEVER_FROM_HUB = ["onnx/*", "openvino/*", "*/*.safetensors"]


@dataclass(frozen=True)
class Located:
    """A base that passed inspection. `name` is for readers: of a local folder its own name, not the path to it."""

    name: str
    folder: Path


def locate(base: str) -> Located:
    """Find a base by shelf name, local folder or `hub:<id>`, and inspect it before anything is parsed by a library.

    The folder may be a bundle: what was trained is then trained further, or for another task. Its files are compared
    with its manifest first.

    Raises:
        UserError: it is not there, is not a model, is damaged, or holds pickles instead of safetensors.
    """
    folder = _folder_of(base)
    is_path = not base.startswith(HUB) and base not in Shelf("bases").names()
    name = folder.resolve().name if is_path else base
    if (folder / MANIFEST).is_file():
        folder = _model_of_bundle(folder)
    inspect_base(folder)
    return Located(name, folder)


def _model_of_bundle(folder: Path) -> Path:
    try:
        verify_manifest(folder)
    except UserError as error:
        raise UserError(*(f"base: {fault}" for fault in error.faults), n_more=error.n_more) from None
    return folder / MODEL


def _folder_of(base: str) -> Path:
    shelf = Shelf("bases")
    if base.startswith(HUB):
        return _download(base.removeprefix(HUB))
    if base in shelf.names():
        return cast("Base", shelf.build(base)).folder()
    folder = Path(base).expanduser()
    if folder.is_dir():
        return folder
    if folder.is_file():
        raise UserError(f"base: '{base}' is a file; give the folder that holds config.json and model.safetensors.")
    names = shelf.names()
    hub = "" if base.startswith((".", "/", "~")) else f" For a model of a hub write hub:{base}."
    raise UserError(
        f"base: '{base}' is neither a named base nor a folder.{hint(base, names)} Named bases: {listed(names)}.{hub}"
    )


def _download(model_id: str) -> Path:
    """A hub snapshot, from the cache when offline. `HF_ENDPOINT` and `HF_HOME` are the library's own."""
    hub = need("huggingface_hub", "train")
    is_offline = settings().offline or os.environ.get("HF_HUB_OFFLINE", "") in {"1", "true", "True"}
    try:
        return Path(
            hub.snapshot_download(
                model_id, allow_patterns=HUB_FILES, ignore_patterns=NEVER_FROM_HUB, local_files_only=is_offline
            )
        )
    except Exception as error:  # the library raises many kinds; a user needs one sentence
        reason = str(error).strip().split("\n")[0][:200] or type(error).__name__
        state = "is not in the local cache and Burnish is offline" if is_offline else "cannot be fetched"
        raise UserError(
            f"base: 'hub:{model_id}' {state} ({reason}). Check the name and the network, set HF_ENDPOINT to a mirror, "
            "or give a local folder."
        ) from None
