"""The recipe that `init` writes: YAML with a comment above each line that a reader may want to change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from burnish.core.shelves import Shelf
from burnish.flows.guessing import Guess
from burnish.flows.pacing import LEAST_EPOCHS, MOST_EPOCHS, ROW_READINGS, Pace
from burnish.flows.sampling import ROWS_COUNTED
from burnish.models.bases._contract import Base
from burnish.models.heads._contract import Head
from burnish.recipe.show import as_yaml
from burnish.tasks._contract import Task

ENGLISH_BASE = "minilm"
CHINESE_BASE = "hub:intfloat/multilingual-e5-small"


@dataclass(frozen=True)
class Side:
    """Where train, dev or test comes from, and why; without a value only the reason is written."""

    value: Any
    reason: str


def recipe_text(found: Guess, sides: Mapping[str, Side], pace: Pace, title: str) -> str:
    """The recipe as YAML with comments. `title` says what file it was guessed from and what to do next."""
    settings = {"name": found.task, **found.settings}
    task = cast("Task", Shelf("tasks").build(settings))
    if getattr(task, "head", True) is None:  # else the rows would choose it, and the pace below was found with this one
        settings["head"] = task.head_part.part_name
    base, why_base = _base(found)
    lines = [
        *(f"# {line}" for line in title.splitlines()),
        "",
        f"# guessed: {found.reason}",
        f"task: {as_yaml(settings if len(settings) > 1 else found.task)}",
        *_other_head(base, task, settings),
        "",
        f"# {why_base}",
        f"base: {as_yaml(base)}",
        "",
        "data:",
        *(line for side, one in sides.items() for line in _side(side, one)),
        "  columns:",
        *(line for role, (column, why) in found.columns.items() for line in _column(role, column, why)),
        "",
        *_train(pace, base),
        "",
        *_judge(task),
    ]
    return "\n".join(lines) + "\n"


def _base(found: Guess) -> tuple[str, str]:
    if found.is_chinese:
        why = "the texts look Chinese, which minilm does not read; fetched once (0.5 GB), or name a folder"
        return CHINESE_BASE, why
    return ENGLISH_BASE, "small and quick, English; or a local folder, or hub:<id>"


def _other_head(base: str, task: Task, settings: Mapping[str, Any]) -> Iterator[str]:
    """The head that the base was tuned with, as a comment, where the task has another but could take that one."""
    shelf, usual = Shelf("bases"), task.head_part
    pooling = cast("type[Base]", shelf.get(base)).pooling if base in shelf.names() else usual.part_name
    if pooling != usual.part_name and cast("type[Head]", Shelf("heads").get(pooling)).gives == usual.gives:
        yield f"# or with the head that {base} was tuned with: it learns in fewer steps; its bundle does not load in"
        yield f"# AutoModelForSequenceClassification, as that of {usual.part_name} does"
        yield f"# task: {as_yaml({**settings, 'head': pooling})}"


def _side(side: str, one: Side) -> Iterator[str]:
    yield from (f"  # {line}" for line in one.reason.splitlines())
    if one.value is not None:
        yield f"  {side}: {as_yaml(one.value)}"


def _column(role: str, column: str, why: str) -> Iterator[str]:
    yield f"    # guessed: {why}"
    yield f"    {role}: {as_yaml(column)}"


def _train(pace: Pace, base: str) -> Iterator[str]:
    more = " or more" if pace.n_rows == ROWS_COUNTED else ""
    passes = f"about {ROW_READINGS:,} rows read in all, in {LEAST_EPOCHS} to {MOST_EPOCHS} passes"
    yield "train:"
    yield f"  # passes over the {pace.n_rows:,}{more} rows: {passes}"
    yield f"  epochs: {pace.epochs}"
    yield f"  # about {pace.texts_at_once} texts of {pace.n_tokens} tokens, so about {pace.n_steps:,}{more} steps"
    yield f"  tokens_per_batch: {pace.tokens_per_batch}"
    if base == CHINESE_BASE:
        yield "  # 250,000 pieces of many languages, four fifths of the weights, stay as pretrained: quicker steps"
        yield "  freeze: {embeddings: true}"
    yield "  # another seed, another run; the same seed, the same run"
    yield "  seed: 7"


def _judge(task: Task) -> Iterator[str]:
    yield "judge:"
    yield "  # answers too unsure to keep this precision are marked as abstained"
    yield "  target_precision: 0.95"
    yield "  # what the result must reach; exit code 3 when missed"
    yield f'  # gates: {{{task.best_by}: ">= 0.9"}}'
