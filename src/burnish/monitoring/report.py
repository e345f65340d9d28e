"""A report of a period: one self-contained HTML page with plots, readable without a network."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, NamedTuple

import orjson

from burnish.core.shelves import need
from burnish.monitoring.figures import clock, figures_of, rule_of
from burnish.monitoring.histogram import Histogram
from burnish.monitoring.looking import Findings, look
from burnish.monitoring.reference import Reference
from burnish.monitoring.rules import Rulebook
from burnish.monitoring.watches._contract import Finding
from burnish.monitoring.watches._words import counted
from burnish.monitoring.watches.drift import Drift
from burnish.monitoring.window import Window
from burnish.store.records import Alert

N_LABELS = 100  # rows of the table of labels, those that moved furthest first
QUICK = 99  # permutations of a drift test: a report may do hundreds of them


@dataclass(frozen=True)
class Period:
    """What a report tells of: windows in the order of time, what came before them, and what they are held against."""

    name: str
    """The released model, as a person calls it."""
    windows: Sequence[Window]
    alerts: Sequence[Alert] = ()
    reference: Reference | None = None
    history: Sequence[Window] = ()
    """Windows before the first one, of the same length, for the watches that ask what is usual."""


class Card(NamedTuple):
    name: str
    value: str
    note: str


class LabelRow(NamedTuple):
    label: str
    n: int
    share: float
    usual: float | None


def report_page(period: Period, rulebook: Rulebook | None = None) -> str:
    """The page, some 5 MB, most of it the plotting library that draws in the reader's browser.

    Its own policy forbids every request, so neither it nor a text shown in it can reach a network. Every rule looks at
    every window again, so a few hundred windows are a sensible number; take longer windows for longer periods.

    Raises:
        UserError: jinja2 or plotly is missing.
    """
    jinja2 = need("jinja2", "train")
    trusted = need("markupsafe", "train").Markup
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("burnish.monitoring", "_page"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    findings = _looked(period, rulebook or Rulebook.default())
    figures = figures_of(period.windows, findings, period.alerts, period.reference) if period.windows else {}
    alerts = sorted(period.alerts, key=lambda one: (one.state == "resolved", -one.at))
    page = environment.get_template("report.html.j2").render(
        period=period,
        verdict=_verdict(alerts),
        alerts=alerts,
        cards=_cards(period) if period.windows else [],
        labels=_label_rows(period),
        last=_last(findings),
        figures=figures,
        figures_json=trusted(_inert_json(figures)),
        style=trusted(_asset("report.css")),
        script=trusted(_asset("report.js.j2")),
        plotly=trusted(need("plotly.offline", "train").get_plotlyjs()),
        clock=clock,
        rule_of=rule_of,
        number=_number,
        percent=_percent,
    )
    return str(page)


def _asset(name: str) -> str:
    return (files("burnish.monitoring") / "_page" / name).read_text("utf-8")


def _inert_json(value: Any) -> str:
    """JSON that cannot end the script element that holds it, whatever a label is called."""
    return orjson.dumps(value).decode().replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")


def _looked(period: Period, rulebook: Rulebook) -> list[Findings]:
    quick = [
        rule.model_copy(update={"watch": rule.watch.model_copy(update={"n_permutations": QUICK})})
        if isinstance(rule.watch, Drift)
        else rule
        for rule in rulebook.rules
    ]
    book = rulebook.model_copy(update={"rules": tuple(quick)})
    before = list(period.history)
    found = []
    for window in period.windows:
        found.append(look(book, window, period.reference, before[-book.n_history :] if book.n_history else []))
        before.append(window)
    return found


def _verdict(alerts: Sequence[Alert]) -> tuple[str, str]:
    """Class of the page's style, and the sentence at its head."""
    n_open = sum(one.state != "resolved" for one in alerts)
    if not alerts:
        return "good", "No alert in this period."
    if not n_open:
        return "good", f"{len(alerts):,} {_noun(len(alerts), 'alert')}, all resolved."
    worst = "bad" if any(one.severity == "critical" and one.state != "resolved" for one in alerts) else "warn"
    return worst, f"{n_open:,} {_noun(n_open, 'alert')} not resolved, of {len(alerts):,} in this period."


def _noun(n: int, noun: str) -> str:
    return noun if n == 1 else f"{noun}s"


def _cards(period: Period) -> list[Card]:
    """The period in a few numbers, each beside the test rows."""
    answers = [one.answers for one in period.windows]
    n_rows, n_failed = sum(one.n_rows for one in answers), sum(one.n_errors for one in period.windows)
    ms = _summed([one.ms for one in answers])
    confidence = _summed([one.confidence for one in answers])
    n_judged, n_wrong = sum(one.n_judged for one in period.windows), sum(one.n_wrong for one in period.windows)
    usual = period.reference.answers if period.reference else None
    found = [
        Card("Inputs", f"{n_rows:,}", f"{n_rows / max(1, len(answers)):,.0f} a window"),
        Card("Failed", _percent(_ratio(n_failed, n_failed + n_rows), 2), counted(n_failed, "request")),
        Card("Time to answer", f"{_number(ms.quantile(0.5))} ms", f"99 % within {_number(ms.quantile(0.99))} ms"),
        Card("Mean confidence", _percent(confidence.mean), _beside(usual.confidence.mean if usual else math.nan)),
        Card(
            "No sure answer",
            _percent(_ratio(sum(one.n_unsure for one in answers), n_rows)),
            _beside(_ratio(usual.n_unsure, usual.n_rows) if usual else math.nan),
        ),
        Card(
            "Called right", _percent(_ratio(n_judged - n_wrong, n_judged)), f"of {counted(n_judged, 'judged answer')}"
        ),
    ]
    return [card for card in found if not card.value.startswith("–")]


def _beside(share: float) -> str:
    return "" if math.isnan(share) else f"test rows {_percent(share)}"


def _label_rows(period: Period) -> list[LabelRow]:
    """Labels whose share moved furthest from the test rows' first; without a reference the commonest first."""
    counts: Counter[str] = Counter()
    for one in period.windows:
        counts.update(one.answers.labels)
    before = period.reference.answers.labels if period.reference else {}
    n, n_before = counts.total(), sum(before.values())
    if not n:
        return []
    rows = [
        LabelRow(label, counts[label], counts[label] / n, before.get(label, 0) / n_before if n_before else None)
        for label in {*counts, *before}
    ]
    return sorted(rows, key=lambda row: (-abs(row.share - (row.usual or 0.0)), row.label))[:N_LABELS]


def _last(findings: Sequence[Findings]) -> list[tuple[str, Finding | None]]:
    return sorted(findings[-1].items(), key=lambda item: not (item[1] and item[1].is_raised)) if findings else []


def _summed(histograms: Sequence[Histogram]) -> Histogram:
    total = histograms[0]
    for one in histograms[1:]:
        total = total + one
    return total


def _ratio(k: int, n: int) -> float:
    return k / n if n else math.nan


def _percent(share: float, digits: int = 1) -> str:
    return "–" if math.isnan(share) else f"{100 * share:.{digits}f} %"


def _number(value: float) -> str:
    """Three digits that matter."""
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
