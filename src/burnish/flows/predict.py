"""`predict`: answers for a text, rows, or a file of any size, streaming and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import yaml

from burnish.bundle.bundle import Bundle, open_bundle
from burnish.bundle.predictor import Input, Predictor, load_predictor
from burnish.core.errors import Faults, UserError
from burnish.core.events import Listener, Progress, ignore
from burnish.data.columns import map_columns
from burnish.data.opening import open_sources
from burnish.data.paths import led_from
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.flows.writing import as_written, open_writer
from burnish.tasks._contract import Prediction


def predict(bundle: str | Path | Predictor, inputs: Input | Iterable[Input]) -> Iterator[Prediction]:
    """Answers for texts, pairs of texts, or rows with the task's columns, in their order and as they are asked for.

    Two texts that belong together, such as a question and its context, are a tuple among the inputs.

    Raises:
        UserError: the bundle cannot be used, or an input is no text and no row of the task's columns.
    """
    predictor = bundle if isinstance(bundle, Predictor) else load_predictor(bundle)
    return _answers(predictor, [inputs] if isinstance(inputs, str | Mapping) else inputs)


def _answers(predictor: Predictor, inputs: Iterable[Input]) -> Iterator[Prediction]:
    try:
        yield from predictor.predict(inputs)
    except ValueError as error:
        raise UserError(f"inputs: {error}") from None


def predict_file(
    bundle: str | Path, source: str | Path | Mapping[str, Any], out: str | Path, *, listen: Listener = ignore
) -> int:
    """Answer every row of a file into a file; memory does not grow with its rows.

    Each output row is the input row with the answer beside it. The form follows the suffix of `out`; the file
    appears when it is complete.

    Returns:
        The number of rows written.

    Raises:
        UserError: the bundle or the file cannot be used, or `out` cannot be written.
    """
    opened = open_bundle(bundle)
    sources = open_sources(source, where="input")
    predictor = load_predictor(opened)
    done = 0
    with open_writer(Path(out)) as writer:
        for one in sources:
            rows = _rows(one)
            while chunk := list(islice(rows, predictor.task.rows_at_once)):
                for row, answer in zip(chunk, _answer_rows(predictor, opened, one, chunk), strict=True):
                    writer.add(row.values, as_written(answer.model_dump(mode="json")))
                done += len(chunk)
                listen(Progress("predict", done, None, "rows"))
    return done


def _rows(source: Source) -> Iterator[Row]:
    """The rows of a source; the first one that cannot be read ends the work."""
    for row in source.rows():
        if isinstance(row, BadRow):
            raise UserError(f"{source.place()}:{row.line}: {row.problem}")
        yield row


def _answer_rows(predictor: Predictor, bundle: Bundle, source: Source, rows: list[Row]) -> Iterator[Prediction]:
    task = predictor.knowledge.task
    asked = [item for item in task.wanted if item.name not in task.gold]
    columns = map_columns(
        rows[0].values, asked, _columns(bundle, rows[0], task.gold), where=f"{source.place()}:{rows[0].line}"
    )
    inputs, faults = [], Faults()
    for row in rows:
        try:
            picked = led_from(source.folder(), columns.pick(row.values), task.files)
            task.read(picked, is_labelled=False)
            inputs.append(picked)
        except ValueError as error:
            faults.add(f"{source.place()}:{row.line}: {error}")
    faults.raise_if_any()
    return predictor.predict(inputs)


def _columns(bundle: Bundle, first: Row, gold: Iterable[str]) -> dict[str, str]:
    """The column names that training used, as far as this file has them; else the task's own names."""
    recipe = yaml.safe_load((bundle.folder / "recipe.yaml").read_text("utf-8"))
    trained = recipe["data"]["columns"]
    return {role: name for role, name in trained.items() if role not in gold and name in first.values}
