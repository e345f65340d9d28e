"""`index`: a bundle with rows added to what it searches, or taken out, without training."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from burnish.bundle.bundle import STOCK, open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.core.errors import UserError
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import new_folder, refuse_occupied, write_bytes
from burnish.core.manifest import MANIFEST, write_manifest
from burnish.tasks._corpus import read_corpus
from burnish.tasks._index import Index
from burnish.tasks.retrieval import Retrieval

if TYPE_CHECKING:
    from burnish.models.tokenizer import TextTokenizer

CARD = "README.md"


@dataclass(frozen=True)
class IndexResult:
    """The new bundle, how many rows it searches, and how many were added and deleted."""

    bundle: Path
    n_rows: int
    n_added: int
    n_deleted: int


def index(
    bundle: str | Path,
    *,
    out: str | Path,
    add: Any = None,
    delete: Sequence[str] = (),
    listen: Listener = ignore,
) -> IndexResult:
    """Write a new bundle that searches other rows. The old one stays as it is.

    Args:
        bundle: the folder of a bundle of the task retrieval.
        out: the new bundle's folder, new or empty.
        add: a file with the columns that the corpus had, several, or rows from Python. Only they are encoded.
        delete: ids to take out first, so that a row is replaced by deleting and adding it in one call.
        listen: is told of progress.

    Raises:
        UserError: the bundle searches nothing, an id is unknown or doubled, a row is unusable, nothing would be left.
    """
    if add is None and not delete:
        raise UserError("index: there is nothing to do; give rows to add, ids to delete, or both.")
    refuse_occupied(Path(out))
    opened = open_bundle(bundle)
    task = opened.knowledge.task
    if not isinstance(task, Retrieval):
        raise UserError(
            f"{opened.folder}: does {task.part_name}, which searches no corpus; give a bundle of retrieval."
        )
    kept = task.index.without(delete)
    added = None if add is None else _encoded(add, kept, task, load_predictor(opened), listen)
    changed = kept if added is None else kept.with_rows(added)
    if not len(changed):
        raise UserError("delete: nothing would be left to search; keep a row, or add some in the same call.")
    n_added = 0 if added is None else len(added)
    _write(Path(out), opened.folder, task.changed(changed), f"{n_added:,} rows added, {len(set(delete)):,} deleted")
    listen(Message(f"wrote {out}", "good"))
    return IndexResult(Path(out), len(changed), n_added, len(set(delete)))


def _encoded(add: Any, kept: Index, task: Retrieval, predictor: Predictor, listen: Listener) -> Index:
    """The rows to add, read by the columns of the old ones, with their vectors."""
    rows = Index.of(read_corpus(add, task.corpus_columns, kept.row_of, "add"))
    tokenizer = cast("TextTokenizer", predictor.reader)
    return rows.with_vectors(task.vectors_of(rows.searched, tokenizer, predictor.core.run, listen))


def _write(target: Path, source: Path, task: Retrieval, what: str) -> None:
    """The old bundle's files with another index, and a card that says so; the manifest last."""
    with new_folder(target) as folder:
        shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(STOCK, MANIFEST))
        task.keep(folder / STOCK)
        card = (source / CARD).read_text("utf-8") if (source / CARD).is_file() else ""
        said = f"\n## Changed since it was judged\n\nIts index: {what}; {len(task.index):,} rows are searched now.\n"
        write_bytes(folder / CARD, (card + said).encode())
        write_manifest(folder)
