"""NNCF without its own words: it draws bars and logs what a reader cannot act on."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout


@contextmanager
def silent() -> Iterator[None]:
    """Within, NNCF draws no bars of its own and logs nothing that a reader could act on."""
    logger = logging.getLogger("nncf")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        logger.setLevel(level)
