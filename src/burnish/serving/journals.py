"""How far back goes what was answered and is not in the database yet."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path

import orjson

from burnish.store.journal import SUFFIX


def waits_since(folder: Path) -> float:
    """When the first prediction was kept that waits in a folder of journals, in seconds since 1970; infinity where none
    waits. Each file is in the order of time, so its first whole line tells.
    """
    return min(map(_begun, folder.glob(f"*{SUFFIX}")), default=math.inf)


def _begun(file: Path) -> float:
    with suppress(FileNotFoundError), file.open("rb") as opened:  # it may be moved at this moment
        for line in opened:
            with suppress(ValueError, TypeError, KeyError):
                return float(orjson.loads(line)["at"])
    return math.inf
