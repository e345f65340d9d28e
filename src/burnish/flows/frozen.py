"""The frozen test rows of a name: copied when its first version is released; every later one is held against them.

Where several tasks share a model each has rows of its own, frozen when the first version that names some is released:
so a task that is put beside the others later is judged too. Rows are kept as the task alone reads them.
"""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from burnish.bundle.bundle import Bundle
from burnish.bundle.predictor import Predictor
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message
from burnish.core.files import sha256_of, write_bytes
from burnish.core.members import joined
from burnish.data.corpus import Corpus
from burnish.flows.judge import read_labelled
from burnish.recipe.load import Loaded
from burnish.store.home import TESTS, Home
from burnish.store.states import put_state, read_state
from burnish.tasks._contract import Example, Task


def frozen_rows(home: Home, name: str, member: str = "") -> Path | None:
    """The file of a name's frozen test rows, or of those of one of its tasks; None where it has none yet.

    Raises:
        UserError: the file is missing or was changed.
    """
    with home.store.reading() as connection:
        digest = read_state(connection, _state(name, member))
    if digest is None:
        return None
    path = _place(home, digest)
    if not path.is_file() or sha256_of(path) != digest:
        raise UserError(f"{path}: the frozen test rows of '{name}' are missing or changed; restore them from a backup.")
    return path


@dataclass(frozen=True)
class Freezing:
    """A bundle whose test rows are to judge every version of a name from now on."""

    home: Home
    name: str
    bundle: Bundle
    by: str
    listen: Listener

    def freeze(self, loaded: Loaded, member: str = "") -> Path:
        """Copy the test rows of a recipe, or those of one of its tasks; of two at once the first ones stay.

        Raises:
            UserError: the rows cannot be read, or there are none.
        """
        state = _state(self.name, member)
        with tempfile.TemporaryDirectory(prefix="burnish-freeze-") as folder:
            given = loaded.located("data", "test")
            corpus = read_labelled(self.bundle, loaded.recipe, given, Path(folder) / "rows.arrow", self.listen, member)
            digest, n_rows = sha256_of(corpus.path), len(corpus)
            path = _place(self.home, digest)
            write_bytes(path, corpus.path.read_bytes())
        with self.home.store.writing() as connection:
            self.home.store.take_turns(connection, state)
            first = read_state(connection, state)
            if first is None:
                put_state(connection, state, digest)
                about = joined(self.name, member) if member else self.name
                told = {"digest": digest, "rows": n_rows}
                self.home.audit.add(connection, self.by, "test rows frozen", about, told)
        if first is not None:
            return _place(self.home, first)
        of = f" of {member}" if member else ""
        self.listen(Message(f"froze {n_rows:,} test rows{of}: every version of '{self.name}' is judged on them"))
        return path


def rows_known_to_both(files: Mapping[str, Path], predictors: Sequence[Predictor]) -> list[Example]:
    """The frozen rows that all of some models can answer rightly: what they can be compared on.

    Args:
        files: task → its rows, where several share a model; else the rows of the only one, under no name.
        predictors: all of one task; where several share a model, some may have tasks that others lack.
    """
    known = [set(one.knowledge.labels) for one in predictors]
    task = predictors[0].task
    rows = (row for member, path in files.items() for row in _rows_of(member, path, predictors))
    return [one for one in rows if all(not labels or set(task.labels_of(one)) <= labels for labels in known)]


def _rows_of(member: str, path: Path, predictors: Sequence[Predictor]) -> Iterator[Example]:
    joints = [joint for one in predictors if (joint := one.task.joint) is not None]
    if not joints:
        yield from Corpus(path)
    elif all(member in joint.members for joint in joints):
        yield from (joints[0].example_of(member, own) for own in Corpus(path))


def as_asked(task: Task, example: Example) -> Example:
    """A labelled row as the service is asked it: of several tasks by all that can answer."""
    return example if task.joint is None else task.read(task.joint.texts_of(example), is_labelled=False)


def median_ms(predictors: Sequence[Predictor], examples: Sequence[Example], n_texts: int = 40) -> list[float]:
    """Median milliseconds of one answer, of each model in turn on the same inputs."""
    times: list[list[float]] = [[] for _ in predictors]
    some = list(examples[:n_texts])
    warming = some[:3]
    for example in [*warming, *some]:
        for taken, predictor in zip(times, predictors, strict=True):
            asked = as_asked(predictor.task, example)
            started = time.perf_counter()
            predictor.answer([asked])
            taken.append((time.perf_counter() - started) * 1000)
    return [median(taken[len(warming) :]) for taken in times]


def data_digest(bundle: Bundle) -> str:
    """What the data card says that the bundle was trained on."""
    card = bundle.folder / "data_card.json"
    return hashlib.sha256(card.read_bytes()).hexdigest() if card.is_file() else ""


def _place(home: Home, digest: str) -> Path:
    return home.folder / TESTS / f"{digest}.arrow"


def _state(name: str, member: str = "") -> str:
    return f"test rows {joined(name, member) if member else name}"
