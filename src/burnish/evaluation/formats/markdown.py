"""Markdown: the report on one page, for a terminal or a forge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from burnish.core.files import write_bytes
from burnish.evaluation.findings import ClassRow, Group, Mistake, Report
from burnish.evaluation.formats._contract import Format
from burnish.evaluation.formats._words import (
    abstention_sentence,
    facts_of,
    interval_of,
    name_of,
    percent,
    title_of,
    value_of,
)

N_CLASSES = 20
N_ERRORS = 10
N_PAIRS = 10
TEXT_SHOWN = 120  # characters


class Markdown(Format):
    """Writes `report.md`: short tables, the rest is in the JSON and HTML forms."""

    def write(self, report: Report, folder: Path) -> Path:
        path = folder / "report.md"
        write_bytes(path, _page(report).encode("utf-8"))
        return path


def _page(report: Report) -> str:
    parts = [
        f"# {_cell(title_of(report))}",
        f"**{_cell(report.verdict)}** Judged on {report.n_rows:,} rows of {_cell(report.split)}.",
        "\n".join(f"> {_cell(note)}\n" for note in report.notes),
        _scores(report),
        _tasks(report),
        _gates(report),
        _confidence(report),
        _classes(report),
        _pairs(report),
        _groups("By length", report.by_length),
        *(_groups(f"By {_cell(name)}", groups) for name, groups in report.by_slice.items()),
        _errors("Most confident errors", report.confident_errors),
        _errors("Hardest errors", report.hardest_errors),
        _seeds(report),
        _section("About", _table(["", ""], ([_cell(key), _cell(value)] for key, value in facts_of(report)))),
    ]
    return "\n\n".join(part.strip() for part in parts if part.strip()) + "\n"


def _scores(report: Report) -> str:
    names = [*report.headline, *sorted(set(report.scores) - set(report.headline))]
    rows = ([name_of(name), value_of(name, report.scores[name]), interval_of(report, name)] for name in names)
    return _section(
        "Scores", _table(["score", "value", "95 % interval"], ([_cell(cell) for cell in row] for row in rows))
    )


def _tasks(report: Report) -> str:
    """Where each of several tasks has its own report."""
    rows = (
        [f"[{name}]({name}/report.md)", _cell(f"{one.about.get('task', '')}"), f"{one.n_rows:,}", _cell(one.split)]
        for name, one in report.members.items()
    )
    return _section("Tasks", _table(["report", "task", "rows", "of"], rows))


def _gates(report: Report) -> str:
    rows = (
        [_cell(gate.name), _cell(gate.condition), f"{gate.value:.4f}", "passed" if gate.is_passed else "**missed**"]
        for gate in report.gates
    )
    return _section("Gates", _table(["score", "wanted", "got", ""], rows))


def _confidence(report: Report) -> str:
    found = report.calibration
    if found is None or report.selective is None:
        return ""
    numbers = ", ".join(f"{key} {value:.3f}" for key, value in found.parameters.items())
    fitted = f" ({numbers})" if numbers else ""
    error = f"Calibration error {percent(found.ece_before, 2)} before and {percent(found.ece_after, 2)} after{fitted}."
    return f"## Confidence\n\n{error} {abstention_sentence(report.selective)}"


def _classes(report: Report) -> str:
    worst = sorted(report.per_class, key=lambda row: (row.f1, row.label))[:N_CLASSES]
    n_left = len(report.per_class) - len(worst)
    title = f"Labels (the {len(worst)} lowest of {len(report.per_class)})" if n_left else "Labels"
    table = _table(["label", "precision", "recall", "F1", "rows"], map(_class_cells, [*worst, *report.averages]))
    tags = _table(["tag", "precision", "recall", "F1", "words"], map(_class_cells, report.per_tag[:N_CLASSES]))
    return "\n\n".join(part for part in (_section(title, table), _section("Tags of words", tags)) if part)


def _class_cells(row: ClassRow) -> list[str]:
    return [_cell(row.label), percent(row.precision), percent(row.recall), percent(row.f1), f"{row.support:,}"]


def _pairs(report: Report) -> str:
    rows = (
        [_cell(pair.gold), _cell(pair.predicted), f"{pair.n:,}", percent(pair.share)]
        for pair in report.worst_pairs[:N_PAIRS]
    )
    return _section("Commonest confusions", _table(["gold", "answered", "times", "of gold"], rows))


def _groups(title: str, groups: Sequence[Group]) -> str:
    names = list(groups[0].scores) if groups else []
    rows = (
        [_cell(group.name), f"{group.n:,}", *(value_of(name, group.scores[name]) for name in names)] for group in groups
    )
    return _section(title, _table(["", "rows", *(name_of(name) for name in names)], rows))


def _errors(title: str, mistakes: Sequence[Mistake]) -> str:
    has_confidence = any(item.confidence is not None for item in mistakes)
    rows = (
        [f"{item.row + 1:,}", _cell(_piece(item)), _labels(item, "gold"), _labels(item, "predicted"),
         *([f"{item.confidence:.3f}"] if has_confidence else [])]
        for item in mistakes[:N_ERRORS]
    )  # fmt: skip
    head = ["row", "text", "gold", "answered", *(["confidence"] if has_confidence else [])]
    return _section(title, _table(head, rows))


def _piece(item: Mistake) -> str:
    """The start of a mistake's text, with … wherever some of the row's own text is not shown."""
    shown = item.text[:TEXT_SHOWN]
    before = "…" if item.offset else ""
    after = "…" if item.offset + len(shown) < item.n_characters else ""
    return f"{before}{shown}{after}"


def _labels(item: Mistake, side: str) -> str:
    spans = item.gold_spans if side == "gold" else item.predicted_spans
    wrong = [f"{item.text[span.start : span.end]} = {span.label}" for span in spans if not span.is_right]
    labels = item.gold if side == "gold" else item.predicted
    return _cell(", ".join([*labels, *wrong]) or "–")


def _seeds(report: Report) -> str:
    if report.seeds is None:
        return ""
    found = report.seeds
    rows = ([_cell(name_of(name)), value_of(name, found.mean[name]), f"{found.sd[name]:.4f}"] for name in found.mean)
    return _section(f"Over {len(found.each)} seeds", _table(["score", "mean", "sd"], rows))


def _section(title: str, body: str) -> str:
    return f"## {title}\n\n{body}" if body else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    rule = "|" + "|".join(" --- " for _ in head) + "|"
    return "\n".join(["| " + " | ".join(head) + " |", rule, *lines]) if lines else ""


def _cell(text: str) -> str:
    """User text as literal text inside a table: no line break, no markup, no HTML.

    Only what could act is escaped, so that `a_b` and `>= 0.9` stay readable in a terminal.
    """
    flat = " ".join(text.split())
    flat = re.sub(r"&(?=#?\w+;)", "&amp;", flat)
    flat = re.sub(r"<(?=[A-Za-z/!?])", "&lt;", flat)
    flat = re.sub(r"([\\`*\[\]|~$])", r"\\\1", flat)
    return re.sub(r"(?<!\w)_|_(?!\w)", r"\\_", flat)
