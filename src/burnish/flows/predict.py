"""`predict`: answers for a text, rows, or a file of any size, streaming and in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from burnish.bundle.predictor import Input, Predictor
from burnish.core.errors import Faults, UserError
from burnish.core.events import Listener, Progress, ignore
from burnish.data.columns import map_columns
from burnish.data.opening import open_sources
from burnish.data.paths import led_from
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.flows.load import load_with_columns
from burnish.flows.writing import as_written, form_of, open_writer
from burnish.tasks._contract import Prediction


def predict(
    model: str | Path | Predictor, inputs: Input | Iterable[Input], *, listen: Listener = ignore, **asked: Any
) -> Iterator[Prediction]:
    """Answers for texts, pairs of texts, or rows with the task's columns, in their order and as they are asked for.

    Two texts that belong together, such as a question and its context, are a tuple among the inputs. `model` is a
    bundle, or a base that is `asked` something, as `burnish.load` takes both.

    Raises:
        UserError: the model cannot be used, or an input is no text and no row of the task's columns.
    """
    predictor = model if isinstance(model, Predictor) else load_with_columns(model, listen=listen, **asked)[0]
    return _answers(predictor, [inputs] if isinstance(inputs, str | Mapping) else inputs)


def _answers(predictor: Predictor, inputs: Iterable[Input]) -> Iterator[Prediction]:
    try:
        yield from predictor.predict(inputs)
    except ValueError as error:
        raise UserError(f"inputs: {error}") from None


def predict_file(
    model: str | Path,
    source: str | Path | Mapping[str, Any],
    out: str | Path,
    *,
    listen: Listener = ignore,
    **asked: Any,
) -> int:
    """Answer every row of a file into a file; memory does not grow with its rows.

    Each output row is the input row with the answer beside it. The form follows the suffix of `out`; the file
    appears when it is complete.

    Returns:
        The number of rows written.

    Raises:
        UserError: the model or the file cannot be used, or `out` cannot be written.
    """
    form_of(Path(out))  # a place that cannot be written is told before anything is loaded
    sources = open_sources(source, where="input")
    predictor, columns = load_with_columns(model, listen=listen, **asked)
    done = 0
    with open_writer(Path(out)) as writer:
        for one in sources:
            rows = _rows(one)
            while chunk := list(islice(rows, predictor.task.rows_at_once)):
                for row, answer in zip(chunk, _answer_rows(predictor, columns, one, chunk), strict=True):
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


def _answer_rows(
    predictor: Predictor, named: Mapping[str, str], source: Source, rows: list[Row]
) -> Iterator[Prediction]:
    """Answers of rows whose columns are called as `named`, as far as this file has them; else by the task's names."""
    task = predictor.knowledge.task
    asked = [item for item in task.wanted if item.name not in task.gold]
    present = list(dict.fromkeys(name for row in rows for name in row.values))  # rows of JSON have keys of their own
    there = {role: name for role, name in named.items() if name in present}
    place = f"{source.place()}:{rows[0].line}"
    columns = map_columns(present, asked, there, where=place, advice="Rename the column to '{}'.")
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
