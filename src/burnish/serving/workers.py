"""Several workers on one socket. The one here only watches: a worker that dies is replaced, a signal is passed on.

The socket is this process's, so what arrives while a worker starts anew waits in it. (uvicorn's own supervisor runs its
own class of server, which does not drain.)
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from types import FrameType

from burnish.core.errors import UserError
from burnish.serving.log import Log
from burnish.serving.metrics import FOLDER
from burnish.serving.server import Serving

LOOK_EVERY_S = 0.1
QUICK_DEATH_S = 2.0
MOST_QUICK_DEATHS = 5
GRACE_S = 40


def run_workers(serving: Serving, log: Log, listening: socket.socket) -> None:
    """Keep `serving.workers` processes until a signal says stop.

    Raises:
        UserError: workers die as soon as they are started.
    """
    stopping = threading.Event()

    def stop(sig: int, frame: FrameType | None) -> None:
        stopping.set()

    before = {one: signal.signal(one, stop) for one in (signal.SIGINT, signal.SIGTERM)}
    with tempfile.TemporaryDirectory(prefix="burnish-metrics-") as numbers:
        crew = Crew(serving, listening, numbers)
        try:
            crew.fill()
            while not stopping.wait(LOOK_EVERY_S):
                for process in crew.replace_dead():
                    log.tell("error", "a worker died", process=process.pid, code=process.returncode)
        finally:
            crew.stop()
            for one, handler in before.items():
                signal.signal(one, handler)


class Crew:
    """The workers."""

    def __init__(self, serving: Serving, listening: socket.socket, numbers: str) -> None:
        self._serving = serving
        self._listening = listening
        self._numbers = numbers
        self._workers: list[tuple[subprocess.Popen[bytes], float]] = []
        self._n_quick_deaths = 0

    def fill(self) -> None:
        while len(self._workers) < self._serving.workers:
            self._workers.append((self._started(), time.monotonic()))

    def replace_dead(self) -> list[subprocess.Popen[bytes]]:
        """Start a worker for each that has died; returns the dead."""
        dead = [(process, since) for process, since in self._workers if process.poll() is not None]
        if not dead:
            return []
        self._workers = [one for one in self._workers if one not in dead]
        quick = sum(time.monotonic() - since < QUICK_DEATH_S for _, since in dead)
        self._n_quick_deaths = self._n_quick_deaths + quick if quick else 0
        if self._n_quick_deaths >= MOST_QUICK_DEATHS:
            raise UserError("workers die as soon as they are started; the lines above say why.")
        self.fill()
        return [process for process, _ in dead]

    def stop(self) -> None:
        """Pass the signal on, and wait for what the workers still answer."""
        for process, _ in self._workers:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + GRACE_S
        for process, _ in self._workers:
            try:
                process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _started(self) -> subprocess.Popen[bytes]:
        number = self._listening.fileno()
        command = [sys.executable, "-m", "burnish.serving.worker", str(number), self._serving.model_dump_json()]
        own = {**os.environ, FOLDER: self._numbers}
        return subprocess.Popen(command, pass_fds=[number], env=own, start_new_session=True)  # noqa: S603  # our own
