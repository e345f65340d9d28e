"""A file that is one JSON value: its text whole, as its parts can be found in nothing less."""

from __future__ import annotations

from pathlib import Path

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, open_text

DOCUMENT_LIMIT_BYTES = 256 * 2**20
"""Largest file that is one JSON value: its text lies in memory. One object a line has no limit."""


def read_document(path: Path, encoding: Encoding) -> str:
    """The text of a file. Raises `UserError` when it is too large to lie in memory whole."""
    size = path.stat().st_size
    if size > DOCUMENT_LIMIT_BYTES:
        raise UserError(
            f"{path}: is one JSON value of {size // 2**20:,} MB, which must lie in memory whole "
            f"(at most {DOCUMENT_LIMIT_BYTES // 2**20} MB); write one object on each line (.jsonl) instead."
        )
    with open_text(path, encoding) as stream:
        return stream.read()
