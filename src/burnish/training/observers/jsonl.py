"""Writes one JSON line a step and a line an epoch to steps.jsonl in the run's folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

import orjson

from burnish.core.files import disk_faults
from burnish.training.observers._contract import Observer, Recorder, RunInfo
from burnish.training.steps import Position, Step

NAME = "steps.jsonl"


class Jsonl(Observer):
    """Needs nothing but a disk. Without buffer: after a kill, the line of every finished step is there."""

    def open(self, run: RunInfo) -> Recorder:
        path = run.folder / NAME
        with disk_faults(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("r+b" if path.exists() else "w+b", buffering=0)
        _forget_after(file, run.start)
        return _Lines(path, file, run.start.step)


@dataclass
class _Lines:
    path: Path
    file: BinaryIO
    last_step: int

    def step(self, step: Step) -> None:
        self.last_step = step.step
        self._write(asdict(step))

    def epoch(self, number: int, scores: Mapping[str, float]) -> None:
        self._write({"epoch": number, "step": self.last_step, "scores": dict(scores)})

    def close(self) -> None:
        self.file.close()

    def _write(self, record: dict[str, object]) -> None:
        with disk_faults(self.path):
            self.file.write(orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE))


def _forget_after(file: BinaryIO, start: Position) -> None:
    """Cut the file after the last line that belongs before `start`, and any line that a crash cut short."""
    end = 0
    for line in iter(file.readline, b""):
        if not _belongs(line, start):
            break
        end += len(line)
    file.truncate(end)
    file.seek(end)


def _belongs(line: bytes, start: Position) -> bool:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    is_judged = "scores" not in record or record["epoch"] <= start.epoch
    return bool(line.endswith(b"\n") and record["step"] <= start.step and is_judged)
