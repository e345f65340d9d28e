"""Processes that a benchmark starts: what they use, and that none is left behind. Reads /proc, so Linux only."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Usage:
    """Of a process and all below it."""

    cpu_s: float
    rss_mb: float
    n_threads: int
    n_files: int


def family(head: int) -> list[int]:
    """A process and all below it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found, new = [head], [head]
    while new:
        new = [child for parent in new for child in children.get(parent, ())]
        found += new
    return found


def usage(head: int) -> Usage:
    cpu_ticks = n_pages = n_threads = n_files = 0
    for process in family(head):
        with suppress(OSError):
            stat = _stat(process)
            cpu_ticks += int(stat[11]) + int(stat[12])
            n_threads += int(stat[17])
            n_pages += int(stat[21])
            n_files += len(os.listdir(f"/proc/{process}/fd"))
    return Usage(cpu_ticks / TICKS, n_pages * PAGE_BYTES / 1e6, n_threads, n_files)


def own_cpu_s() -> float:
    """Of this process: what generating the load took."""
    times = os.times()
    return times.user + times.system


def end(process: subprocess.Popen[bytes], patience_s: float = 45.0) -> int:
    """Ask it to stop, and make sure that it does, with all below it; returns its exit code."""
    all_of_it = family(process.pid)
    try:
        if process.poll() is None:
            process.terminate()
            process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
    finally:
        kill_all(all_of_it)
    return process.wait(10)


def kill_all(processes: Sequence[int]) -> None:
    for one in processes:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)


def wait_until(is_so, patience_s: float, what: str, every_s: float = 0.02) -> float:
    """Wait for something; returns how long it took.

    Raises:
        TimeoutError: it did not come about.
    """
    started = time.monotonic()
    while not is_so():
        if time.monotonic() - started > patience_s:
            raise TimeoutError(f"{what} did not come about within {patience_s:g} s")
        time.sleep(every_s)
    return time.monotonic() - started


def _stat(process: int) -> list[str]:
    """Fields of /proc/PID/stat after the name, which may hold spaces: state, parent, …"""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
