"""What a file says: drafts of feedback, checked all before the first is used, and never all in memory."""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from pydantic import Field

from burnish.core.errors import Faults, UserError
from burnish.data.sources._contract import BadRow
from burnish.feedback.rules import Rule


@dataclass(frozen=True, slots=True)
class Draft:
    """Feedback as a file gives it. `line` is where it stands, `id` that of the feedback where the file has one."""

    line: int
    prediction: str
    kind: str
    value: Any
    comment: str = ""
    by: str = ""
    id: str = ""


Check = Callable[[Draft], None]
"""Raises `ValueError` with one sentence for a draft that cannot be used."""


class Limits(Rule):
    """How large a file may be."""

    most_bytes: int = Field(default=256 * 2**20, gt=0)
    """Largest file that is opened at all."""

    most_rows: int = Field(default=1_000_000, gt=0)
    """Most rows that are read."""


class Drafts:
    """The drafts of a file that was read whole and found right. They lie in a nameless file until they are used."""

    def __init__(self, spool: IO[str]) -> None:
        self._spool = spool
        weakref.finalize(self, spool.close)
        self._n = 0
        self.n_unlabelled = 0
        """Rows of which nobody has said anything yet."""

    def __len__(self) -> int:
        return self._n

    def add(self, draft: Draft) -> None:
        self._spool.write(f"{json.dumps(asdict(draft))}\n")
        self._n += 1

    def __iter__(self) -> Iterator[Draft]:
        self._spool.seek(0)
        for line in self._spool:
            yield Draft(**json.loads(line))


def gather(path: Path, rows: Iterable[Draft | BadRow | None], check: Check, limits: Limits) -> Drafts:
    """The drafts among `rows`, where None is a row without a word, if every one of them can be used.

    Raises:
        UserError: what is wrong, with file and line: the first 20 rows, and how many more.
    """
    spool = tempfile.TemporaryFile("w+", encoding="ascii")  # noqa: SIM115  # it lives as long as the drafts
    drafts, faults = Drafts(spool), Faults()
    for number, row in enumerate(rows, start=1):
        if number > limits.most_rows:
            raise UserError(f"{path}: has more than {limits.most_rows:,} rows; import it in parts.")
        problem = _problem(row, check)
        if problem is not None:
            faults.add(f"{path}:{problem[0]}: {problem[1]}")
        elif row is None:
            drafts.n_unlabelled += 1
        elif isinstance(row, Draft) and not faults:
            drafts.add(row)
    faults.raise_if_any()
    return drafts


def refuse_large(path: Path, limits: Limits) -> None:
    """Raise `UserError` for a file that is missing, packed or too large to be looked at."""
    if not path.is_file():
        raise UserError(f"{path}: there is no such file.")
    if path.suffix.lower() == ".gz":
        raise UserError(f"{path}: is packed, so its size tells nothing; unpack it first.")
    size = path.stat().st_size
    if size > limits.most_bytes:
        raise UserError(
            f"{path}: has {size:,} bytes, and at most {limits.most_bytes:,} are read at once; import it in parts."
        )


def _problem(row: Draft | BadRow | None, check: Check) -> tuple[int, str] | None:
    """Line and sentence of what is wrong with a row."""
    if isinstance(row, BadRow):
        return row.line, row.problem
    if row is None:
        return None
    try:
        check(row)
    except (ValueError, UserError) as error:
        return row.line, str(error)
    return None
