"""The frozen test rows of a name: copied when its first version is released; every later one is held against them."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from burnish.bundle.bundle import Bundle
from burnish.bundle.predictor import Predictor
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message
from burnish.core.files import sha256_of, write_bytes
from burnish.data.corpus import Corpus
from burnish.flows.judge import read_labelled
from burnish.recipe.load import Loaded
from burnish.store.home import TESTS, Home
from burnish.store.states import put_state, read_state
from burnish.tasks._contract import Example


def frozen_rows(home: Home, name: str) -> Path | None:
    """The file of a name's frozen test rows; None where it has none yet.

    Raises:
        UserError: the file is missing or was changed.
    """
    with home.store.reading() as connection:
        digest = read_state(connection, _state(name))
    if digest is None:
        return None
    path = _place(home, digest)
    if not path.is_file() or sha256_of(path) != digest:
        raise UserError(f"{path}: the frozen test rows of '{name}' are missing or changed; restore them from a backup.")
    return path


def freeze(home: Home, name: str, bundle: Bundle, loaded: Loaded, by: str, listen: Listener) -> Path:
    """Copy test rows, which from now on judge every version of a name; of two at once the first ones stay.

    Args:
        home: the installation.
        name: of the releases.
        bundle: by whose labels the rows are read.
        loaded: its recipe, whose test rows are copied.
        by: who does it.
        listen: is told how many there are.

    Raises:
        UserError: the rows cannot be read, or there are none.
    """
    with tempfile.TemporaryDirectory(prefix="burnish-freeze-") as folder:
        data = loaded.located("data", "test")
        corpus = read_labelled(bundle, loaded.recipe, data, Path(folder) / "rows.arrow", listen)
        digest, n_rows = sha256_of(corpus.path), len(corpus)
        path = _place(home, digest)
        write_bytes(path, corpus.path.read_bytes())
    with home.store.writing() as connection:
        home.store.take_turns(connection, _state(name))
        first = read_state(connection, _state(name))
        if first is None:
            put_state(connection, _state(name), digest)
            home.audit.add(connection, by, "test rows frozen", name, {"digest": digest, "rows": n_rows})
    if first is not None:
        return _place(home, first)
    listen(Message(f"froze {n_rows:,} test rows: every version of '{name}' is judged on them"))
    return path


def rows_known_to_both(path: Path, predictors: Sequence[Predictor]) -> list[Example]:
    """The frozen rows whose labels all of some models know: what they can be compared on."""
    known = [set(one.knowledge.labels) for one in predictors]
    task = predictors[0].task
    return [one for one in Corpus(path) if all(not labels or set(task.labels_of(one)) <= labels for labels in known)]


def median_ms(predictors: Sequence[Predictor], examples: Sequence[Example], n_texts: int = 40) -> list[float]:
    """Median milliseconds of one answer, of each model in turn on the same inputs."""
    times: list[list[float]] = [[] for _ in predictors]
    some = list(examples[:n_texts])
    warming = some[:3]
    for example in [*warming, *some]:
        for taken, predictor in zip(times, predictors, strict=True):
            started = time.perf_counter()
            predictor.answer([example])
            taken.append((time.perf_counter() - started) * 1000)
    return [median(taken[len(warming) :]) for taken in times]


def data_digest(bundle: Bundle) -> str:
    """What the data card says that the bundle was trained on."""
    card = bundle.folder / "data_card.json"
    return hashlib.sha256(card.read_bytes()).hexdigest() if card.is_file() else ""


def _place(home: Home, digest: str) -> Path:
    return home.folder / TESTS / f"{digest}.arrow"


def _state(name: str) -> str:
    return f"test rows {name}"
