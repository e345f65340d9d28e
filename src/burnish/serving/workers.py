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
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from burnish.core.errors import UserError
from burnish.serving.log import Log
from burnish.serving.metrics import FOLDER, forget_process
from burnish.serving.serving import Serving

LOOK_EVERY_S = 0.1
QUICK_DEATH_S = 2.0
MOST_QUICK_DEATHS = 5
FIRST_WAIT_S = 0.5
MOST_WAIT_S = 30.0
"""Between tries to start what dies as soon as it is started, such as while the database is away: twice as long each."""
GRACE_S = 40
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_workers(serving: Serving, log: Log, listening: socket.socket) -> None:
    """Keep `serving.workers` processes until a signal says stop; a second one says at once.

    Raises:
        UserError: workers die as soon as they are started, and none ever came up.
    """
    stopping, hurrying = threading.Event(), threading.Event()

    def stop(sig: int, frame: FrameType | None) -> None:
        (hurrying if stopping.is_set() else stopping).set()

    before = {one: signal.signal(one, stop) for one in SIGNALS}
    with tempfile.TemporaryDirectory(prefix="burnish-workers-") as shared:
        crew = Crew(serving, listening, Path(shared))
        try:
            crew.fill()
            while not stopping.wait(LOOK_EVERY_S):
                for process in crew.replace_dead():
                    log.tell("error", "a worker died", process=process.pid, code=process.returncode)
        finally:
            listening.close()  # once the last worker has closed it too, whoever comes is refused and does not wait
            crew.stop(hurrying)
            for one, handler in before.items():
                signal.signal(one, handler)


def ready_file(shared: Path, process: int) -> Path:
    """What a worker leaves in the shared folder when it is ready to answer."""
    return shared / f"ready_{process}"


class Crew:
    """The workers."""

    def __init__(self, serving: Serving, listening: socket.socket, shared: Path) -> None:
        self._serving = serving
        self._listening = listening
        self._shared = shared
        self._workers: list[tuple[subprocess.Popen[bytes], float]] = []
        self._n_quick_deaths = 0
        self._wait_s = self._waits_until = 0.0
        self._has_come_up = False

    def fill(self) -> None:
        """Start what lacks, unless the last ones have died at once a moment ago."""
        while len(self._workers) < self._serving.workers and time.monotonic() >= self._waits_until:
            self._workers.append((self._started(), time.monotonic()))

    def replace_dead(self) -> list[subprocess.Popen[bytes]]:
        """Start a worker for each that has died, at once or a while after quick deaths; returns the dead. What keeps
        workers from starting never ends a server that has answered.

        Raises:
            UserError: they die as soon as they are started, or say themselves that they cannot serve, and none has ever
                come up.
        """
        self._has_come_up = self._has_come_up or any(
            ready_file(self._shared, process.pid).exists() for process, _ in self._workers
        )
        dead = [(process, since) for process, since in self._workers if process.poll() is not None]
        self._workers = [one for one in self._workers if one not in dead]
        for process, _ in dead:
            forget_process(self._shared, process.pid)
            ready_file(self._shared, process.pid).unlink(missing_ok=True)
        if dead:
            self._count(dead)
        self.fill()
        return [process for process, _ in dead]

    def _count(self, dead: Sequence[tuple[subprocess.Popen[bytes], float]]) -> None:
        quick = sum(
            time.monotonic() - since < QUICK_DEATH_S or process.returncode == UserError.exit_code
            for process, since in dead
        )
        self._n_quick_deaths = self._n_quick_deaths + quick if quick else 0
        if self._n_quick_deaths >= MOST_QUICK_DEATHS and not self._has_come_up:
            raise UserError("workers die as soon as they are started; the lines above say why.")
        self._wait_s = min(max(2 * self._wait_s, FIRST_WAIT_S), MOST_WAIT_S) if quick else 0.0
        self._waits_until = time.monotonic() + self._wait_s

    def stop(self, hurrying: threading.Event) -> None:
        """Pass the signal on, and wait for what the workers still answer; not when told to hurry."""
        for process, _ in self._workers:
            process.send_signal(signal.SIGTERM)
        until = time.monotonic() + GRACE_S
        while any(process.poll() is None for process, _ in self._workers) and time.monotonic() < until:
            if hurrying.wait(LOOK_EVERY_S / 2):
                break
        for process, _ in self._workers:
            process.kill()
            process.wait()

    def _started(self) -> subprocess.Popen[bytes]:
        number = self._listening.fileno()
        told = [str(number), str(os.getpid()), str(self._shared), self._serving.model_dump_json()]
        own = {**os.environ, FOLDER: str(self._shared)}
        command = [sys.executable, "-m", "burnish.serving.worker", *told]
        return subprocess.Popen(command, pass_fds=[number], env=own, start_new_session=True)  # noqa: S603  # our own
