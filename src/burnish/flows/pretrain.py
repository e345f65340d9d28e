"""`pretrain`: a base goes on learning from plain text, and the result is a base for every other task.

It is `fit` with a task that wants no answers, such as `masked_lm`, and with defaults that suit text: the same recipe,
the same checks, the same bundle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from burnish.core.errors import UserError, listed
from burnish.core.events import Listener, ignore
from burnish.core.shelves import Shelf
from burnish.data.opening import known_suffixes
from burnish.flows.fit import FitResult, fit_loaded
from burnish.recipe.load import Loaded, load
from burnish.tasks._contract import Task

TASK = "masked_lm"
BENEATH: dict[str, Any] = {"task": TASK, "train": {"epochs": 3}, "judge": {"start": True}}
"""What holds where the recipe says nothing. Text comes in plenty, so few passes do; what it scored before is told."""
PLAIN = "text"
BY_DOCUMENT = {"name": "grouped", "column": "document"}

Text = str | Path | Sequence[str | Path]


def pretrain(
    recipe: str | Path | Mapping[str, Any] | None = None,
    overrides: Sequence[str] = (),
    *,
    text: Text | None = None,
    out: str | Path | None = None,
    listen: Listener = ignore,
    **fields: Any,
) -> FitResult:
    """Train on plain text, judge on held-out text, and write a bundle that `base:` takes.

    Args:
        recipe: a YAML file or a mapping shaped like one; None when `text` and `fields` say it all.
        overrides: texts such as `train.epochs=1`.
        text: a file of plain text, or several, in place of `data.train`; dev is cut from it by whole documents.
        out: the bundle's folder, new or empty; None takes `runs/<name of the recipe or text>`.
        listen: is told of progress.
        **fields: settings by the last word of their path, as `burnish.fit` takes them; `resume` too.

    Raises:
        UserError: the recipe's task wants answers, or whatever `fit` refuses.
        SickRun: training went wrong; nothing is published.
    """
    resume = bool(fields.pop("resume", False))
    return fit_loaded(load_pretraining(recipe, overrides, text, fields), out, resume=resume, listen=listen)


def load_pretraining(
    recipe: str | Path | Mapping[str, Any] | None, overrides: Sequence[str], text: Text | None, fields: dict[str, Any]
) -> Loaded:
    """The recipe of a pretraining, its text read as the task wants it."""
    if text is not None:
        if "train" in fields:
            raise UserError("text and train both name what is learnt from; give one of them.")
        named = load(recipe, overrides, beneath={**BENEATH, "data": {"train": "text"}}, **fields).recipe.task
        source = dict(_source_of(cast("Task", named)))
        files = [text] if isinstance(text, str | Path) else list(text)
        _refuse_tables(files)
        fields = {**fields, "train": [{**source, "path": str(file)} for file in files], "split": BY_DOCUMENT}
    loaded = load(recipe, overrides, beneath=BENEATH, **fields)
    _source_of(cast("Task", loaded.recipe.task))
    return loaded


def _refuse_tables(files: Sequence[str | Path]) -> None:
    """Raise `UserError` where a file's suffix says that it has columns: its lines are no sentences."""
    for file in files:
        kind = known_suffixes().get(Path(file).suffix.lower(), PLAIN)
        if kind != PLAIN:
            raise UserError(
                f"text: {file} is a table ({kind}), not plain text; name it as train, and its column with the text "
                "as text_column."
            )


def _source_of(task: Task) -> Mapping[str, Any]:
    if task.text_source is None:
        shelf = Shelf("tasks")
        able = [name for name in shelf.names() if cast("type[Task]", shelf.get(name)).text_source is not None]
        raise UserError(
            f"task: '{task.part_name}' learns from rows with answers, not from text alone; `burnish fit` trains it. "
            f"Pretraining takes: {listed(able)}."
        )
    return task.text_source
