"""One worker: `python -m burnish.serving.worker SOCKET SERVING`, started by `workers`."""

from __future__ import annotations

import socket
import sys
import threading
import time

from burnish.core.errors import BurnishError
from burnish.serving.log import Log
from burnish.serving.server import Serving, run
from burnish.store.home import open_home


def main(number: str, told: str) -> None:
    """Serve on a socket that was handed over."""
    log, serving = Log(), Serving.model_validate_json(told)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        run(serving, open_home(), log, socket.socket(fileno=int(number)))
    except BurnishError as error:
        log.tell("error", str(error))
        sys.exit(error.exit_code)


def _end_with_parent() -> None:
    """When the process that started this one is gone, nobody would ever stop it."""
    import os
    import signal

    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(*sys.argv[1:])
