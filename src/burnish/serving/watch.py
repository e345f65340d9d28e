"""What passes between a server and `burnish monitor`: failed requests one way, what watches measured the other."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence

from burnish.flows.failures import MINUTE_S, add_errors
from burnish.flows.monitor import newest_findings
from burnish.serving.metrics import Metrics
from burnish.store.home import Home


class Watch:
    """Failed requests of one server, which leave no prediction, until they are in the store."""

    def __init__(self, home: Home, metrics: Metrics, names: Callable[[], Sequence[str]]) -> None:
        self._home = home
        self._metrics = metrics
        self._names = names
        self._errors = Counter[tuple[str, int]]()
        self._lock = threading.Lock()

    def count_error(self, name: str) -> None:
        with self._lock:
            self._errors[name, int(time.time() // MINUTE_S)] += 1

    def exchange(self) -> None:
        """Put the errors into the store, and show what the watches measured last.

        Raises:
            StoreUnavailable: the database does not answer; the errors wait here.
        """
        with self._lock:
            errors, self._errors = self._errors, Counter()
        try:
            if errors:
                add_errors(self._home, errors)
        except BaseException:
            with self._lock:
                self._errors.update(errors)
            raise
        for name in self._names():
            for rule, value in newest_findings(self._home, name).items():
                self._metrics.of(self._metrics.drift, name, rule).set(value)
