"""Files in and out: every format by its name, whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.errors import UserError, hint, listed
from burnish.core.files import disk_faults, fsync_folder
from burnish.data.sources._contract import BadRow
from burnish.feedback.corrections import asked
from burnish.feedback.files import csv, doccano, jsonl, label_studio
from burnish.feedback.files.drafts import Check, Draft, Drafts, Limits, gather, refuse_large
from burnish.store.records import Feedback, Prediction

if TYPE_CHECKING:
    from burnish.tasks._contract import Task

Item = tuple[Prediction, Feedback | None]
"""An answer, and what was said of it; None where somebody is to say it."""


@dataclass(frozen=True)
class Format:
    """How one tool's files are written and read. `needs_input`: an answer whose input was not kept is left out."""

    suffix: str
    lines: Callable[[Task, Iterator[Item]], Iterator[str]]
    rows: Callable[[Path, Task], Iterator[Draft | BadRow | None]]
    needs_input: bool = False


FORMATS = {
    "csv": Format(".csv", csv.lines, csv.rows),
    "jsonl": Format(".jsonl", jsonl.lines, jsonl.rows),
    "doccano": Format(".jsonl", doccano.lines, doccano.rows, needs_input=True),
    "label_studio": Format(".json", label_studio.lines, label_studio.rows, needs_input=True),
}


@dataclass(frozen=True)
class Exported:
    """What came of an export. Left out are answers that the tool could not show, for their input was not kept."""

    n_written: int
    n_left_out: int


def export_file(path: Path, name: str, task: Task, items: Iterable[Item]) -> Exported:
    """Write answers, with what was said of them, for the tool `name`. A file of that name is replaced whole.

    Raises:
        UserError: there is no such format, the tool cannot hold such answers, or the disk does not take the file.
    """
    written, counts = format_named(name), {"written": 0, "left out": 0}

    def counted() -> Iterator[Item]:
        for item in items:
            is_out = written.needs_input and asked(item[0], task).row is None
            counts["left out" if is_out else "written"] += 1
            if not is_out:
                yield item

    _write(path, written.lines(task, counted()))
    return Exported(counts["written"], counts["left out"])


def import_file(
    path: Path, name: str, task: Task, check: Check, *, by: str = "", limits: Limits | None = None
) -> Drafts:
    """Read what a file says, if all of it can be used. `by` is who said it where the file does not tell.

    Raises:
        UserError: there is no such format, the file is too large or cannot be read, or rows of it cannot be used: the
            first 20 with their lines, and how many more. Nothing is imported then.
    """
    limits = limits or Limits()
    refuse_large(path, limits)
    rows = (
        replace(row, by=row.by or by) if isinstance(row, Draft) else row for row in format_named(name).rows(path, task)
    )
    return gather(path, rows, check, limits)


def format_named(name: str) -> Format:
    if name not in FORMATS:
        raise UserError(f"there is no format '{name}'.{hint(name, FORMATS)} The formats are: {listed(FORMATS)}.")
    return FORMATS[name]


def _write(path: Path, lines: Iterator[str]) -> None:
    """A new file beside `path`, line by line, then renamed into its place."""
    neighbour = path.with_name(f".{path.name}.tmp-{uuid.uuid4().hex[:8]}")
    with disk_faults(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with neighbour.open("xb") as file:
                for line in lines:
                    file.write(line.encode("utf-8", "replace"))
                file.flush()
                os.fsync(file.fileno())
            neighbour.replace(path)
            fsync_folder(path.parent)
        finally:
            neighbour.unlink(missing_ok=True)
