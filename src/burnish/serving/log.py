"""The log: one JSON object a line on stderr, with nothing in it that an input or a key may hold."""

from __future__ import annotations

import datetime
import logging
import sys
import threading
from typing import Any, TextIO

from burnish.serving.problems import place_of
from burnish.store.texts import json_of


class Log:
    """Writes lines; several threads may."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stderr
        self._lock = threading.Lock()

    def tell(self, level: str, message: str, **about: Any) -> None:
        """One line. `about` holds ids, names and numbers, never what somebody sent."""
        at = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        line = json_of({"at": at, "level": level, "message": message, **about})
        with self._lock:
            try:
                self._stream.write(line.decode() + "\n")
                self._stream.flush()
            except (OSError, ValueError):  # whoever read it has gone; a server goes on
                return


class Forwarding(logging.Handler):
    """Lines for what libraries warn of: their own words without what they filled in, which may be anybody's text."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        about = {"logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            about |= {"kind": type(error).__name__, "where": place_of(error)}
        first_line = str(record.msg).strip().split("\n")[0]  # asyncio tells more behind it
        self._log.tell(record.levelname.lower(), first_line, **about)
