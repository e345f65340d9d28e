"""Predictions on stdout: JSON lines for programs, a table for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from burnish.tasks._contract import Line, Prediction

MAX_TEXT = 60


def print_json(answers: Iterable[Prediction]) -> None:
    """One JSON object a line, each as soon as it is there."""
    import orjson

    from burnish.flows.writing import as_written

    for answer in answers:
        line = orjson.dumps(as_written(answer.model_dump()), option=orjson.OPT_SERIALIZE_NUMPY)
        sys.stdout.write(f"{line.decode()}\n")
    sys.stdout.flush()


def print_table(inputs: Sequence[Any] | None, answers: Iterable[Prediction]) -> None:
    """Text, answer and, where answers carry it, confidence; an answer of several parts takes several lines."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    each = [[(line.answer, _sure(line)) for line in answer.lines()] or [("nothing found", "")] for answer in answers]
    has_confidence = any(sure for lines in each for _, sure in lines)
    head = ["text", "answer", *(["confidence"] if has_confidence else [])]
    table = Table(*head, box=None, pad_edge=False, header_style="bold")
    for number, lines in enumerate(each):
        text = "" if inputs is None else _cut(inputs[number])
        for row, cells in enumerate(lines):
            table.add_row(Text(text if row == 0 else ""), *map(Text, cells[: len(head) - 1]))
    Console(file=sys.stdout).print(table)


def _sure(line: Line) -> str:
    if line.confidence is None:
        return ""
    return f"{100 * line.confidence:.1f} %{'  (unsure)' if line.is_unsure else ''}"


def _cut(text: Any) -> str:
    words = text if isinstance(text, str) else " / ".join(map(str, text.values() if isinstance(text, dict) else text))
    return words if len(words) <= MAX_TEXT else f"{words[: MAX_TEXT - 1]}…"
