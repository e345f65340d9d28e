"""Predictions on stdout: JSON lines for programs, a table for people."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import Any

MAX_TEXT = 60


def print_json(answers: Iterable[Any]) -> None:
    """One JSON object a line, each as soon as it is there."""
    import orjson

    from burnish.flows.writing import as_written

    for answer in answers:
        line = orjson.dumps(as_written(as_dict(answer)), option=orjson.OPT_SERIALIZE_NUMPY)
        sys.stdout.write(f"{line.decode()}\n")
    sys.stdout.flush()


def print_table(inputs: Sequence[Any] | None, answers: Iterable[Any]) -> None:
    """Text, answer and confidence, one line an answer."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table("text", "answer", "confidence", box=None, pad_edge=False, header_style="bold")
    for number, answer in enumerate(answers):
        given = as_dict(answer)
        text = inputs[number] if inputs is not None else given.get("text", "")
        for row, (label, confidence) in enumerate(labels_of(given)):
            table.add_row(Text(_cut(text) if row == 0 else ""), Text(label), Text(confidence))
    Console(file=sys.stdout).print(table)


def labels_of(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """What a person wants to read of an answer: its labels or spans, each with its confidence."""
    if "hits" in answer:
        return [(one["text"], f"{one['score']:.3f}") for one in answer["hits"]] or [("nothing found", "")]
    found = [answer] if "label" in answer else list(answer.get("labels", answer.get("spans", ())))
    return [(_named(one), _sure(one)) for one in found] or [("nothing found", "")]


def as_dict(answer: Any) -> dict[str, Any]:
    """A prediction as plain values."""
    return dict(answer) if isinstance(answer, dict) else answer.model_dump()


def _named(one: dict[str, Any]) -> str:
    where = f"{one['text']}  [{one['start']}:{one['end']}] " if "start" in one else ""
    return f"{where}{one['label']}"


def _sure(one: dict[str, Any]) -> str:
    unsure = "  (unsure)" if one.get("abstained") else ""
    return f"{100 * one['confidence']:.1f} %{unsure}"


def _cut(text: Any) -> str:
    words = " / ".join(str(value) for value in text.values()) if isinstance(text, dict) else str(text)
    return words if len(words) <= MAX_TEXT else f"{words[: MAX_TEXT - 1]}…"
