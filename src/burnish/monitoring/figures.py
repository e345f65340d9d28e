"""The plots of the report as plain plotly figures, without importing plotly.

Colours are names of the page's CSS variables: the page fills them in, so that plots follow light and dark. Labels and
names are escaped, as plotly reads a little HTML in texts.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from burnish.monitoring.looking import Findings
from burnish.monitoring.reference import Reference
from burnish.monitoring.window import Window
from burnish.store.records import Alert

Figure = dict[str, Any]
N_LABELS = 8  # of the label mix that get a colour; the others share one
ROLLING = 24  # windows over which the share of right answers is taken: in one there are few
FURTHEST = 2.0  # a value this many times its threshold has the darkest colour
LONGEST_NAME = 28
LONE_DOT = 7  # pixels
MOST_DECADES = 3  # of milliseconds that have ticks between
COLOURS = ("accent", "good", "warn", "bad", "violet", "teal", "rose", "olive")


def figures_of(
    windows: Sequence[Window], findings: Sequence[Findings], alerts: Sequence[Alert], reference: Reference | None
) -> dict[str, Figure]:
    """Id of the place on the page → figure. Figures without anything to show are left out."""
    found = {
        "overview": _overview(windows, findings, alerts),
        "volume": _volume(windows),
        "latency": _latency(windows),
        "confidence": _confidence(windows, reference),
        "unsure": _unsure(windows, reference),
        "labels": _labels(windows),
        "quality": _quality(windows, reference),
    }
    return {name: figure for name, figure in found.items() if figure}


def clock(at: float) -> str:
    """`2026-11-26 02:28`, UTC: as people read it, and as plotly reads a date."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")


def literal(text: str) -> str:
    """`text` so that plotly shows it as it is: neither its small HTML nor `$…$` is read as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")


def _overview(windows: Sequence[Window], findings: Sequence[Findings], alerts: Sequence[Alert]) -> Figure:
    """Rules by time: how far each value is on the way to its threshold, where it was raised, where an alert began."""
    names = [name for name in dict.fromkeys(name for one in findings for name in one) if _ever(findings, name)]
    if not names:
        return {}
    x = [clock(one.start) for one in windows]
    raised = [
        (x[at], row)
        for row, name in enumerate(names)
        for at, found in enumerate(findings)
        if (one := found.get(name)) and one.is_raised
    ]
    heat = {
        "type": "heatmap",
        "x": x,
        "y": list(range(len(names))),
        "z": [[_way(found, name) for found in findings] for name in names],
        "zmin": 0,
        "zmax": FURTHEST,
        "showscale": False,
        "xgap": 0.5,
        "ygap": 2,
        "text": [[_sentence(found, name) for found in findings] for name in names],
        "hovertemplate": "%{x}<br>%{text}<extra></extra>",
    }
    dots = _points([at for at, _ in raised], [row for _, row in raised], "raised", "bad", "circle", 6)
    begun = [(clock(one.at), names.index(rule)) for one in alerts if (rule := rule_of(one)) in names]
    marks = _points([at for at, _ in begun], [row for _, row in begun], "alert", "bad", "triangle-up", 13)
    axes = {
        "xaxis": {"type": "date"},
        "yaxis": {**_name_axis(names), "autorange": "reversed"},
    }
    return {"data": [heat, dots, marks], "layout": {**axes, **_legend(), "height": 110 + 26 * len(names)}}


def rule_of(alert: Alert) -> str:
    """The rule that gave an alert, or its watch where the alert does not tell."""
    numbers = alert.numbers if isinstance(alert.numbers, dict) else {}
    return str(numbers.get("rule") or alert.watch)


def _ever(findings: Sequence[Findings], name: str) -> bool:
    return any(found.get(name) is not None for found in findings)


def _way(found: Findings, name: str) -> float | None:
    """The value as a multiple of its threshold: from 1 on it matters."""
    one = found.get(name)
    if one is None:
        return None
    if one.threshold == 0.0:
        return FURTHEST if one.value > 0.0 else 0.0
    return min(FURTHEST, max(0.0, one.value / one.threshold))


def _sentence(found: Findings, name: str) -> str:
    one = found.get(name)
    return "too little to look at" if one is None else "<br>".join(_wrapped(literal(one.sentence)))


def _wrapped(text: str, width: int = 70) -> list[str]:
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _volume(windows: Sequence[Window]) -> Figure:
    data = [
        _bars(windows, [one.answers.n_rows for one in windows], "answered", "accent"),
        _bars(windows, [one.n_errors for one in windows], "failed", "bad"),
    ]
    return {"data": data, "layout": {**_time_axes("inputs"), **_legend(), "barmode": "stack", "bargap": 0.1}}


def _latency(windows: Sequence[Window]) -> Figure:
    if not any(len(one.answers.ms) for one in windows):
        return {}
    data = [
        _line(windows, [one.answers.ms.quantile(share) for one in windows], name, colour)
        for share, name, colour in ((0.5, "p50", "accent"), (0.99, "p99", "warn"))
    ]
    axes = _time_axes("ms")
    axes["yaxis"] |= _decades([value for line in data for value in line["y"] if value])
    return {"data": data, "layout": {**axes, **_legend()}}


def _confidence(windows: Sequence[Window], reference: Reference | None) -> Figure:
    if not any(len(one.answers.confidence) for one in windows):
        return {}
    data = [_line(windows, [one.answers.confidence.mean for one in windows], "mean confidence", "accent")]
    if reference is not None and len(reference.answers.confidence):
        data.append(_level(windows, reference.answers.confidence.mean, "test rows"))
    return {"data": data, "layout": {**_time_axes("confidence", is_share=True), **_legend()}}


def _unsure(windows: Sequence[Window], reference: Reference | None) -> Figure:
    data = [
        _line(windows, [_share(one.answers.n_unsure, one.answers.n_rows) for one in windows], "no sure answer", "warn")
    ]
    if reference is not None and reference.answers.n_rows:
        data.append(_level(windows, _share(reference.answers.n_unsure, reference.answers.n_rows), "test rows"))
    axes = _time_axes("share of inputs", is_share=True)
    return {"data": data, "layout": {**axes, **_legend(), "yaxis": {**axes["yaxis"], "rangemode": "tozero"}}}


def _labels(windows: Sequence[Window]) -> Figure:
    """Shares of the commonest labels, one upon the other."""
    total: Counter[str] = Counter()
    for one in windows:
        total.update(one.answers.labels)
    if not total:
        return {}
    named = [label for label, _ in sorted(total.items(), key=lambda item: (-item[1], item[0]))[:N_LABELS]]
    data = [
        _layer(windows, [one.answers.labels.get(label, 0) for one in windows], label, colour)
        for label, colour in zip(named, COLOURS, strict=False)
    ]
    if len(total) > len(named):
        rest = [sum(n for label, n in one.answers.labels.items() if label not in named) for one in windows]
        data.append(_layer(windows, rest, f"{len(total) - len(named)} others", "muted"))
    axes = _time_axes("share of answers", is_share=True)
    axes["yaxis"] |= {"range": [0, 1]}
    layout = {**axes, "barmode": "stack", "bargap": 0, "height": 380, "legend": {"traceorder": "normal"}}
    return {"data": data, "layout": layout}


def _quality(windows: Sequence[Window], reference: Reference | None) -> Figure:
    if not any(one.n_judged for one in windows):
        return {}
    rolling = [
        _share(sum(one.n_judged - one.n_wrong for one in near), sum(one.n_judged for one in near))
        for near in (windows[max(0, at - ROLLING + 1) : at + 1] for at in range(len(windows)))
    ]
    data = [
        {**_bars(windows, [one.n_judged - one.n_wrong for one in windows], "right", "good"), "yaxis": "y2"},
        {**_bars(windows, [one.n_wrong for one in windows], "wrong", "bad"), "yaxis": "y2"},
        _line(windows, rolling, f"right, of the last {min(ROLLING, len(windows))} windows", "accent"),
    ]
    if reference is not None and reference.accuracy is not None:
        data.append(_level(windows, reference.accuracy, "accuracy on the test rows"))
    axes = _time_axes("called right", is_share=True)
    axes["yaxis"] |= {"domain": [0.38, 1]}
    axes["xaxis"] |= {"anchor": "y2"}
    counts = {"title": {"text": "judged"}, "domain": [0, 0.28], "nticks": 3}
    return {"data": data, "layout": {**axes, **_legend(), "yaxis2": counts, "barmode": "stack", "height": 360}}


def _share(k: int, n: int) -> float:
    return k / n if n else math.nan


def _line(windows: Sequence[Window], y: Sequence[float], name: str, colour: str) -> Figure:
    """A line through the windows, and a dot where one has no neighbour that a line could lead to."""
    values = _finite(y)
    beside = zip([None, *values], values, [*values[1:], None], strict=False)
    sizes = [LONE_DOT if before is None and after is None else 0 for before, _, after in beside]
    return {
        "type": "scatter",
        "mode": "lines+markers",
        "x": [clock(one.start) for one in windows],
        "y": values,
        "name": literal(name),
        "line": {"color": colour, "width": 2},
        "marker": {"color": colour, "size": sizes},
    }


def _level(windows: Sequence[Window], value: float, name: str) -> Figure:
    """A dotted line across the period."""
    ends = [clock(windows[0].start), clock(windows[-1].end)]
    line = {"color": "muted", "width": 2, "dash": "dot"}
    return {"type": "scatter", "mode": "lines", "x": ends, "y": _finite([value] * 2), "name": name, "line": line}


def _layer(windows: Sequence[Window], counts: Sequence[int], name: str, colour: str) -> Figure:
    shares = [_share(n, sum(one.answers.labels.values())) for n, one in zip(counts, windows, strict=True)]
    cut = name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…"
    hover = "%{x}: %{y:.1%}<extra>" + literal(name) + "</extra>"
    return {**_bars(windows, shares, cut, colour), "hovertemplate": hover}


def _bars(windows: Sequence[Window], y: Sequence[float], name: str, colour: str) -> Figure:
    x = [clock(one.start) for one in windows]
    return {"type": "bar", "x": x, "y": _finite(y), "name": literal(name), "marker": {"color": colour}}


def _points(x: Sequence[str], y: Sequence[int], name: str, colour: str, symbol: str, size: int) -> Figure:
    marker = {"color": colour, "symbol": symbol, "size": size}
    return {"type": "scatter", "mode": "markers", "x": x, "y": y, "name": name, "marker": marker, "hoverinfo": "skip"}


def _finite(values: Sequence[float]) -> list[float | None]:
    """JSON has no NaN: plotly leaves a gap for null."""
    return [float(value) if math.isfinite(value) else None for value in values]


def _time_axes(title: str, is_share: bool = False) -> Figure:
    shown = {"tickformat": ".2~%"} if is_share else {"rangemode": "tozero"}
    return {"xaxis": {"type": "date"}, "yaxis": {"title": {"text": title}, **shown}, "height": 300}


def _decades(values: Sequence[float]) -> Figure:
    """A logarithmic axis of the whole powers of ten around values, with ticks at 1, 2 and 5 where that is not many."""
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    high = max(high, low + 1)
    return {"type": "log", "range": [low, high], "dtick": "D2" if high - low <= MOST_DECADES else 1}


def _legend() -> Figure:
    return {"legend": {"orientation": "h", "y": 1.12, "x": 0}}


def _name_axis(names: Sequence[str]) -> Figure:
    cut = [name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 1] + "…" for name in names]
    shown = [literal(name.replace("_", " ")) for name in cut]
    return {"tickvals": list(range(len(names))), "ticktext": shown, "showgrid": False}
