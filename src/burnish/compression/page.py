"""The frontier as a page of its own: a table and a plot that need no network and no script."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from burnish.compression.frontier import HEADINGS, JUDGED, Candidate, Frontier

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 760, 380, 70, 40, 50
TICK_WIDTH = 46
"""What the number under the axis takes, with room to the next."""
LINE_HEIGHT, LETTER_WIDTH, DOT = 14, 7, 6
"""What a name beside its dot takes, and half of the dot."""

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2733; --soft: #66788a; --line: #d6dee6; --good: #1a7f4b; --bad: #b3402a; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9aa9b8; --line: #36424e; --good: #4ac28a;
  --bad: #ef8a72; } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 860px; margin: 2.5rem auto;
  padding: 0 1rem; }
h1 { font-size: 1.5rem; } p, caption { color: var(--soft); text-align: left; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: right; }
th:nth-child(2), td:nth-child(2) { text-align: left; }
tr.chosen td { font-weight: 600; color: var(--good); } tr.refused td:first-child { color: var(--bad); }
svg { width: 100%; height: auto; } svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
.dot { fill: var(--soft); } .dot.chosen { fill: var(--good); } .dot.refused { fill: var(--bad); }
.axis { stroke: var(--line); } .budget { stroke: var(--bad); stroke-dasharray: 5 4; }
"""


def frontier_page(frontier: Frontier) -> str:
    """A self-contained HTML page."""
    reasons = "".join(
        f"<li><b>{escape(name)}</b>: {escape('; '.join(faults))}</li>" for name, faults in frontier.refused.items()
    )
    chosen = escape(frontier.chosen or "nothing keeps to the budget")
    machine = ", ".join(f"{escape(name)} {escape(value)}" for name, value in frontier.machine.items())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Shrinking</title>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>
<h1>What shrinking costs, and what it gains</h1>
<p>Chosen: <b>{chosen}</b>, by {escape(frontier.metric)} on {frontier.n_rows:,} dev rows; at most
{frontier.budget.max_drop:g} points may be lost at 95 % confidence. Measured on: {machine}.</p>
{_plot(frontier)}
<table><thead><tr><th></th>{"".join(f"<th>{escape(name)}</th>" for name in HEADINGS)}</tr></thead>
<tbody>{"".join(_row(frontier, cells) for cells in frontier.rows())}</tbody></table>
{f"<h2>Not taken</h2><ul>{reasons}</ul>" if reasons else ""}
</body></html>
"""


def _row(frontier: Frontier, cells: list[str]) -> str:
    return f'<tr class="{_kind(frontier, cells[1])}">{"".join(f"<td>{escape(cell)}</td>" for cell in cells)}</tr>'


def _kind(frontier: Frontier, name: str) -> str:
    return "chosen" if name == frontier.chosen else "refused" if name in frontier.refused else "fitting"


def _plot(frontier: Frontier) -> str:
    """Texts a second, on a logarithmic axis, against points lost, with the 95 % interval's end as a line."""
    speeds = [one.speed.texts_per_s for one in frontier.candidates]
    drops = [drop for one in frontier.candidates for drop in (one.drop, one.most_drop) if math.isfinite(drop)]
    low, high = math.log10(min(speeds)) - 0.1, math.log10(max(speeds)) + 0.25
    best, worst = min(0.0, *drops), max(frontier.budget.max_drop, *drops) * 1.15 + 0.1

    def x(speed: float) -> float:
        return LEFT + (math.log10(speed) - low) / (high - low) * (WIDTH - LEFT - 20)

    def y(drop: float) -> float:
        drop = drop if math.isfinite(drop) else worst  # a score that is no number
        return TOP + (drop - best) / (worst - best) * (HEIGHT - BOTTOM - TOP)

    places = [(x(one.speed.texts_per_s), y(one.drop)) for one in frontier.candidates]
    words = _beside([(one.name, *place) for one, place in zip(frontier.candidates, places, strict=True)])

    def dot(one: Candidate, at: float, height: float) -> str:
        end = "" if one.name == JUDGED else f'<line class="axis" x1="{at:.0f}" x2="{at:.0f}" '
        end = f'{end}y1="{height:.0f}" y2="{y(one.most_drop):.0f}"/>' if end else ""
        return f'{end}<circle class="dot {_kind(frontier, one.name)}" cx="{at:.0f}" cy="{height:.0f}" r="{DOT}"/>'

    dots = "".join(dot(one, *place) for one, place in zip(frontier.candidates, places, strict=True))
    floor, line = HEIGHT - BOTTOM, y(frontier.budget.max_drop)
    ticks = "".join(
        f'<text x="{x(speed):.0f}" y="{floor + 20}" text-anchor="middle">{speed:,.0f}</text>'
        for speed in _apart(speeds, x)
    )
    return f"""<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="points lost against texts a second">
<line class="axis" x1="{LEFT}" x2="{WIDTH}" y1="{floor}" y2="{floor}"/>
<line class="axis" x1="{LEFT}" x2="{LEFT}" y1="26" y2="{floor}"/>
<line class="budget" x1="{LEFT}" x2="{WIDTH}" y1="{line:.0f}" y2="{line:.0f}"/>
<text x="{LEFT - 8}" y="{y(0) + 4:.0f}" text-anchor="end">0</text>
<text x="{LEFT - 8}" y="{line + 4:.0f}" text-anchor="end">{frontier.budget.max_drop:g}</text>
{ticks}<text x="{WIDTH - 5}" y="{floor + 38}" text-anchor="end">texts a second</text>
<text x="{LEFT - 60}" y="16">points lost</text>{dots}{"".join(words)}</svg>"""


def _beside(dots: Sequence[tuple[str, float, float]]) -> list[str]:
    """The name of each dot (name, x, y), beside it: at its height, or as near to that as no other name or dot lies."""
    taken = [(x - DOT, x + DOT, y) for _, x, y in dots]
    words = []
    for name, x, y in dots:
        is_right = x < WIDTH * 0.6  # names stay within the plot
        begin, width = (x + DOT + 3, len(name) * LETTER_WIDTH) if is_right else (x - DOT - 3, -len(name) * LETTER_WIDTH)
        left, right = sorted((begin, begin + width))
        lines = sorted(range(-len(dots), len(dots) + 1), key=abs)
        heights = [y + line * LINE_HEIGHT for line in lines if TOP / 2 < y + line * LINE_HEIGHT < HEIGHT - BOTTOM]
        height = next((one for one in heights if not _overlaps((left, right, one), taken)), y)
        taken.append((left, right, height))
        anchor = "start" if is_right else "end"
        words.append(f'<text x="{begin:.0f}" y="{height + 4:.0f}" text-anchor="{anchor}">{escape(name)}</text>')
    return words


def _overlaps(one: tuple[float, float, float], others: Sequence[tuple[float, float, float]]) -> bool:
    """Whether a line of text (left, right, height) lies over another one."""
    left, right, height = one
    return any(left < end and right > begin and abs(height - at) < LINE_HEIGHT for begin, end, at in others)


def _apart(speeds: Sequence[float], x: Callable[[float], float]) -> list[float]:
    """Those whose numbers can stand side by side under the axis, the quickest first; the table has all of them."""
    kept: list[float] = []
    for speed in sorted(speeds, reverse=True):
        if not kept or x(kept[-1]) - x(speed) >= TICK_WIDTH:
            kept.append(speed)
    return kept
