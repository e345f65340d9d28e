"""`burnish worker`: does jobs."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from burnish.cli.say import say
from burnish.cli.screen import watching


def worker(
    once: Annotated[bool, typer.Option("--once", help="Stop when no job is due.")] = False,
) -> None:
    """Do jobs: retraining, monitoring, deleting what is old. Any number of workers may share a database."""
    from burnish.flows.work import work

    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopping.set())
    with watching() as listen:
        n_done = work(is_once=once, listen=listen, is_stopped=stopping.is_set)
    say(f"{n_done:,} jobs done")
