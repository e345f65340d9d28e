"""HTML: one self-contained page with plots, readable without a network."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from burnish.core.files import write_bytes
from burnish.core.shelves import need
from burnish.evaluation.findings import MarkedSpan, Mistake, Report
from burnish.evaluation.formats import _words as words
from burnish.evaluation.formats._contract import Format
from burnish.evaluation.formats._figures import figures_of

MOST_LABELS = 1000  # rows of the table of labels; a browser can sort so many at once


class Segment(NamedTuple):
    """A piece of a text; `label` is None outside spans."""

    text: str
    label: str | None = None
    is_right: bool = True


class Html(Format):
    """Writes `report.html`, some 5 MB, most of it the plotting library that draws in the reader's browser.

    The page's own policy forbids every request, so neither it nor a text shown in it can reach a network.
    """

    def write(self, report: Report, folder: Path) -> Path:
        path = folder / "report.html"
        write_bytes(path, _page(report).encode("utf-8"))
        return path


def _page(report: Report) -> str:
    jinja2 = need("jinja2", "train")
    trusted = need("markupsafe", "train").Markup
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("burnish.evaluation.formats", "_page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    figures = figures_of(report)
    return str(
        environment.get_template("report.html.j2").render(
            report=report,
            words=words,
            figures=figures,
            figures_json=trusted(_inert_json(figures)),
            style=trusted(_asset("report.css")),
            script=trusted(_asset("report.js.j2")),
            plotly=trusted(need("plotly.offline", "train").get_plotlyjs()),
            rows=sorted(report.per_class, key=lambda row: (row.f1, row.label))[:MOST_LABELS],
            marked=_segments,
        )
    )


def _asset(name: str) -> str:
    return (files("burnish.evaluation.formats") / "_page" / name).read_text("utf-8")


def _inert_json(value: Any) -> str:
    """JSON that cannot end the script element that holds it, whatever a label is called."""
    return orjson.dumps(value).decode().replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _segments(mistake: Mistake, side: str) -> list[Segment]:
    """A mistake's text cut at its gold or predicted spans; a span that overlaps an earlier one is left out."""
    spans = mistake.gold_spans if side == "gold" else mistake.predicted_spans
    segments, at = [], 0
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= at:
            segments += [Segment(mistake.text[at : span.start]), _segment(mistake.text, span)]
            at = span.end
    return [one for one in [*segments, Segment(mistake.text[at:])] if one.text]


def _segment(text: str, span: MarkedSpan) -> Segment:
    return Segment(text[span.start : span.end], span.label, span.is_right)
