"""Ctrl-C and SIGTERM, heard at a moment when the run's state is whole.

An interrupt in the middle of an optimiser step would leave half of the weights moved, and a checkpoint of that is
wrong for ever. So the first signal only raises a flag, which the run looks at between steps; a second one means it.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType
from typing import Any, Self

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interruption:
    """Within: the first signal sets `is_asked`, the second raises KeyboardInterrupt. Handlers are put back afterwards.

    Python lets only the main thread have handlers; in another one nothing changes.
    """

    def __init__(self) -> None:
        self.is_asked = False
        self._is_whole = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._hear) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def at_once(self) -> Iterator[None]:
        """Within, the state is whole and stays so: a signal need not wait, and raises KeyboardInterrupt."""
        self._is_whole = True
        try:
            if self.is_asked:
                raise KeyboardInterrupt
            yield
        finally:
            self._is_whole = False

    def _hear(self, number: int, frame: FrameType | None) -> None:
        is_second, self.is_asked = self.is_asked, True
        if is_second or self._is_whole:
            raise KeyboardInterrupt
