"""The plots of the HTML page as plain plotly figures, without importing plotly.

Colours are names of the page's CSS variables: the page fills them in, so that plots follow light and dark. Every
text of the user is escaped, as plotly reads a little HTML in labels.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from burnish.evaluation.findings import Bin, ClassRow, Confusion, Group, Reliability, Report, Selective
from burnish.evaluation.formats._words import name_of, percent

Figure = dict[str, Any]
MOST_BARS = 24
MOST_CELLS = 25  # labels on a side of the heat map; 30 or fewer are shown whole
ALL_CELLS = 30
LONGEST_LABEL = 28
LEGEND = {"orientation": "h", "y": 1.02, "yanchor": "bottom"}  # a second line goes up, not into the plot


def figures_of(report: Report) -> dict[str, Figure]:
    """Id of the place on the page → figure. Figures without anything to show are left out."""
    found = {
        "reliability": _reliability(report.calibration),
        "coverage": _coverage(report.selective),
        "classes": _classes(report.per_class),
        "confusion": _confusion(report.confusion),
        "length": _groups(report.by_length, report.headline[0]),
    }
    slices = enumerate(report.by_slice.values())
    found |= {f"slice-{index}": _groups(groups, report.headline[0]) for index, groups in slices}
    return {name: figure for name, figure in found.items() if figure}


def _reliability(found: Reliability | None) -> Figure:
    if found is None or not found.after:
        return {}
    before, after = found.before, found.after
    total = sum(one.n for one in after)
    shares = [one.n / total for one in after]
    data = [
        _line([0, 1], [0, 1], "perfect", "muted", dash="dot"),
        _bins(before, "before", "warn"),
        _bins(after, "after", "accent"),
        {
            "type": "bar",
            "x": [(one.low + one.high) / 2 for one in after],
            "y": shares,
            "width": [one.high - one.low for one in after],
            "yaxis": "y2",
            "marker": {"color": "accent", "opacity": 0.35},
            "name": "share of answers",
            "showlegend": False,
            "hovertemplate": "%{y:.1%} of answers<extra></extra>",
        },
    ]
    axes = {
        "xaxis": {"title": {"text": "confidence"}, "range": [0, 1.02], "tickformat": ".0%", "anchor": "y2"},
        "yaxis": {"title": {"text": "came true"}, "range": [0, 1.02], "tickformat": ".0%", "domain": [0.3, 1]},
        "yaxis2": {"title": {"text": "share"}, "domain": [0, 0.2], "tickformat": ".0%", "nticks": 3},
    }
    return {"data": data, "layout": {**axes, "height": 400, "legend": LEGEND}}


def _bins(bins: Sequence[Bin], name: str, colour: str) -> Figure:
    """A curve whose points are as large as what they stand for: a bin of three answers proves little."""
    total = sum(one.n for one in bins)
    return {
        **_line([one.probability for one in bins], [one.truth for one in bins], name, colour),
        "mode": "lines+markers",
        "marker": {"color": colour, "size": [6 + 14 * (one.n / total) ** 0.5 for one in bins]},
        "customdata": [one.n for one in bins],
        "hovertemplate": "%{customdata} answers: confidence %{x:.1%}, right %{y:.1%}<extra>" + name + "</extra>",
    }


def _coverage(found: Selective | None) -> Figure:
    if found is None or not found.curve:
        return {}
    precision = [1 - point.risk for point in found.curve]
    low = min([found.target_precision, *precision])
    curve = {
        **_line([point.coverage for point in found.curve], precision, "precision", "accent"),
        "fill": "none",
        "customdata": [point.threshold for point in found.curve],
        "hovertemplate": "answered %{x:.1%}, precision %{y:.2%}, from confidence %{customdata:.3f}<extra></extra>",
    }
    chosen = {
        **_line([found.coverage], [found.precision], "chosen threshold", "good"),
        "mode": "markers",
        "marker": {"color": "good", "size": 12, "symbol": "diamond"},
    }
    target = _line(
        [0, 1], [found.target_precision] * 2, f"wanted {percent(found.target_precision)}", "muted", dash="dot"
    )
    axes = {
        "xaxis": {"title": {"text": "share answered (coverage)"}, "range": [0, 1.02], "tickformat": ".0%"},
        "yaxis": {"title": {"text": "precision"}, "range": [max(0, low - 0.02), 1.004], "tickformat": ".1~%"},
    }
    data = [target, curve, chosen] if found.coverage > 0 else [target, curve]
    return {"data": data, "layout": {**axes, "height": 400, "legend": LEGEND}}


def _classes(rows: Sequence[ClassRow]) -> Figure:
    """F1 of every label; of many, the lowest and the highest dozen."""
    ranked = sorted((row for row in rows if row.support), key=lambda row: (-row.f1, row.label))
    half = MOST_BARS // 2
    shown = ranked if len(ranked) <= MOST_BARS else [*ranked[:half], *ranked[-half:]]
    if not shown:
        return {}
    position = list(range(len(shown)))[::-1]
    if len(ranked) > MOST_BARS:
        position = [place + 1 for place in position[:half]] + position[half:]
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": [row.f1 for row in shown],
        "y": position,
        "marker": {"color": ["accent" if row.f1 >= 0.9 else "warn" if row.f1 >= 0.7 else "bad" for row in shown]},
        "text": [percent(row.f1) for row in shown],
        "textposition": "outside",
        "cliponaxis": False,
        "customdata": [[literal(row.label), row.precision, row.recall, row.support] for row in shown],
        "hovertemplate": "%{customdata[0]}<br>precision %{customdata[1]:.1%}, recall %{customdata[2]:.1%}, "
        "%{customdata[3]:,} gold<extra></extra>",
    }
    axes = {
        "xaxis": {"range": [0, 1.22], "tickformat": ".0%", "tickvals": [0, 0.5, 1]},
        "yaxis": _label_axis(position, [row.label for row in shown]),
    }
    return {"data": [bars], "layout": {**axes, "height": 70 + 22 * len(shown), "bargap": 0.25}}


def _confusion(confusion: Confusion | None) -> Figure:
    """Share of each gold label's rows by prediction; of many labels, the block of those most confused."""
    if confusion is None or not confusion.cells:
        return {}
    labels = _most_confused(confusion)
    place = {label: index for index, label in enumerate(labels)}
    support = Counter[int]()
    for gold, _, n in confusion.cells:
        support[gold] += n
    counts: list[list[int | None]] = [[None] * len(labels) for _ in labels]
    for gold, predicted, n in confusion.cells:
        if gold in place and predicted in place:
            counts[place[gold]][place[predicted]] = n
    shares = [[n and n / support[label] for n in row] for label, row in zip(labels, counts, strict=True)]
    names = [confusion.labels[label] for label in labels]
    heat = {
        "type": "heatmap",
        "z": shares,
        "zmin": 0,
        "zmax": 1,
        "text": [["" if n is None else str(n) for n in row] for row in counts],
        "texttemplate": "%{text}" if len(labels) <= ALL_CELLS else "",
        "customdata": [[[literal(gold), literal(found)] for found in names] for gold in names],
        "hovertemplate": "gold %{customdata[0]}<br>answered %{customdata[1]}<br>%{text} (%{z:.1%})<extra></extra>",
        "showscale": False,
        "xgap": 1,
        "ygap": 1,
    }
    axes = {
        "xaxis": {**_label_axis(list(range(len(names))), names), "title": {"text": "answered"}, "tickangle": -45},
        "yaxis": {**_label_axis(list(range(len(names))), names), "title": {"text": "gold"}, "autorange": "reversed"},
    }
    return {"data": [heat], "layout": {**axes, "height": 170 + 27 * len(names)}}


def _most_confused(confusion: Confusion) -> list[int]:
    """Indices of the labels to show: all of few, else those in the commonest confusions, partners side by side."""
    if len(confusion.labels) <= ALL_CELLS:
        return list(range(len(confusion.labels)))
    wrong = sorted((cell for cell in confusion.cells if cell[0] != cell[1]), key=lambda cell: (-cell[2], cell))
    chosen = dict.fromkeys(label for gold, predicted, _ in wrong for label in (gold, predicted))
    return list(chosen)[:MOST_CELLS]


def _groups(groups: Sequence[Group], score: str) -> Figure:
    if not groups:
        return {}
    values = [group.scores.get(score, 0.0) for group in groups]
    position = list(range(len(groups)))
    bars = {
        "type": "bar",
        "x": position,
        "y": values,
        "marker": {"color": "accent"},
        "text": [percent(value) for value in values],
        "textposition": "outside",
        "customdata": [[literal(group.name), group.n] for group in groups],
        "hovertemplate": "%{customdata[0]}: %{y:.1%} of %{customdata[1]:,} rows<extra></extra>",
    }
    axes = {
        "xaxis": _label_axis(position, [group.name for group in groups]),
        "yaxis": {"title": {"text": name_of(score)}, "range": [0, 1.12], "tickformat": ".0%"},
    }
    return {"data": [bars], "layout": {**axes, "height": 320, "bargap": 0.4}}


def _line(x: Sequence[float], y: Sequence[float], name: str, colour: str, dash: str = "solid") -> Figure:
    line = {"color": colour, "dash": dash, "width": 2}
    hover = {"hoverinfo": "skip"} if dash == "dot" else {}
    return {"type": "scatter", "mode": "lines", "x": list(x), "y": list(y), "name": name, "line": line, **hover}


def _label_axis(position: Sequence[int], labels: Sequence[str]) -> Figure:
    """An axis with labels at numbered places, so that equal, long or number-like labels stay apart."""
    cut = [label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…" for label in labels]
    return {"tickvals": list(position), "ticktext": [literal(label) for label in cut], "showgrid": False}


def literal(text: str) -> str:
    """`text` so that plotly shows it as it is: neither its small HTML nor `$…$` is read as markup."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("$", "&#36;")
