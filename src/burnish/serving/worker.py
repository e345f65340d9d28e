"""One worker: `python -m burnish.serving.worker SOCKET PARENT FOLDER SERVING`, started by `workers`."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from pathlib import Path

from burnish.core.errors import BurnishError
from burnish.serving.log import Log
from burnish.serving.server import Serving, run
from burnish.store.home import opened_home

LOOK_EVERY_S = 0.5


def main(number: str, parent: str, shared: str, told: str) -> None:
    """Serve on a socket that was handed over."""
    log, serving = Log(), Serving.model_validate_json(told)
    threading.Thread(target=_end_with, args=[int(parent)], daemon=True).start()
    try:
        with opened_home() as home, socket.socket(fileno=int(number)) as listening:
            run(serving, home, log, listening, Path(shared))
    except BurnishError as error:
        log.tell("error", str(error))
        sys.exit(error.exit_code)


def _end_with(parent: int) -> None:
    """When the process that started this one is gone, nobody would ever stop it."""
    while os.getppid() == parent:
        time.sleep(LOOK_EVERY_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
