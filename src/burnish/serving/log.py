"""The log: one JSON object a line on stderr, with nothing in it that an input or a key may hold."""

from __future__ import annotations

import datetime
import sys
import threading
from typing import Any, TextIO

import orjson


class Log:
    """Writes lines; several threads may."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()

    def tell(self, level: str, message: str, **about: Any) -> None:
        """One line. `about` holds ids, names and numbers, never what somebody sent."""
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = orjson.dumps({"at": at, "level": level, "message": message, **about}, default=str)
        with self._lock:
            try:
                self._stream.write(line.decode() + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # whoever read it has gone; a server goes on
                return
