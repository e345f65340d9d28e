"""Texts that no retraining learns from: those of the rows by which its result is calibrated and judged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

from burnish.core.events import Listener
from burnish.core.settings import settings
from burnish.data.corpus import Corpus
from burnish.data.duplicates import comparable
from burnish.data.masking import Mask
from burnish.data.opening import open_sources
from burnish.flows.frozen import frozen_rows
from burnish.flows.ingest import Reading, ingest
from burnish.flows.names import mask_of
from burnish.recipe.load import Loaded
from burnish.recipe.schema import share_of
from burnish.store.home import Home
from burnish.tasks._contract import Example, Task

MASKED = ("text", "text_pair")


def unlearnable(home: Home, name: str, loaded: Loaded, work: Path, listen: Listener) -> frozenset[str]:
    """The texts of a name's frozen test rows and of the dev rows of a recipe that are a file of their own, as they are
    and as they are kept of a request, with personal data masked. Dev rows that are a share never were in train.

    Raises:
        UserError: the rows are missing, changed, or cannot be read.
    """
    frozen = frozen_rows(home, name)
    corpora = [] if frozen is None else [Corpus(frozen)]
    if loaded.recipe.data.dev is not None and share_of(loaded.recipe.data.dev) is None:
        corpora.append(_dev(loaded, work / "dev.arrow", listen))
    mask = mask_of(home, settings())
    return frozenset(text for corpus in corpora for example in corpus for text in _forms(example, mask))


def text_of(example: Example) -> str:
    """What tells copies, whatever their capitals and spaces."""
    return " ".join(comparable(example).casefold().split())


def _dev(loaded: Loaded, path: Path, listen: Listener) -> Corpus:
    data = loaded.recipe.data
    sources = open_sources(loaded.located("data", "dev"), data.encoding, "data.dev")
    return ingest(
        sources, Reading(cast("Task", loaded.recipe.task), data.columns, (), data.bad_rows), path, listen
    ).corpus


def _forms(example: Example, mask: Mask) -> Iterator[str]:
    yield text_of(example)
    masked = {name: mask(example[name]).text for name in MASKED if isinstance(example.get(name), str)}
    yield text_of({**example, **masked})
