import json
import math

import pytest
from tests.monitoring.made import HOUR, NOON, alert, counted, drawn, past, prediction, reference, window

from burnish.monitoring import figures as f
from burnish.monitoring.figures import clock, figures_of, literal, rule_of
from burnish.monitoring.watches._contract import Finding

LOUD = Finding(0.3, 0.1, 0.001, True, "Far <b>away</b> " + "and on " * 30, {})
QUIET = Finding(0.05, 0.1, 0.7, False, "Near.", {})


def two(**fields):
    return [window(drawn(60), start=NOON), window(drawn(40, 1), start=NOON + HOUR, n_judged=10, n_wrong=2, **fields)]


def drawn_of(windows=None, findings=None, alerts=(), usual=None):
    windows = two() if windows is None else windows
    return figures_of(windows, findings or [{} for _ in windows], alerts, usual)


def test_every_plot_is_plain_json():
    found = drawn_of(findings=[{"drift": QUIET}, {"drift": LOUD}], alerts=[alert()], usual=reference(200))
    assert set(found) == {"overview", "volume", "latency", "confidence", "unsure", "labels", "quality"}
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_was_never_measured_has_no_plot():
    bare = [window([prediction(label=None, confidence=None, ms=0.0)])]
    assert set(drawn_of(bare)) == {"volume", "unsure"}


def test_the_overview_shows_how_far_each_rule_is_on_the_way_to_its_threshold():
    found = drawn_of(findings=[{"drift": QUIET, "errors": None}, {"drift": LOUD, "errors": None}])["overview"]
    heat, dots, _ = found["data"]
    assert heat["z"] == [[0.5, f.FURTHEST]]  # 0.05 / 0.1, and 0.3 / 0.1 cut off; errors never looked
    assert (dots["x"], dots["y"]) == ([clock(NOON + HOUR)], [0])
    assert heat["text"][0][1].startswith("Far &lt;b&gt;away&lt;/b&gt;")
    assert "<br>" in heat["text"][0][1]


@pytest.mark.parametrize(
    ("value", "threshold", "way"), [(-0.3, -0.15, 2.0), (0.0, 0.0, 0.0), (0.01, 0.0, 2.0), (-0.1, 0.2, 0.0)]
)
def test_thresholds_below_and_at_nothing_have_a_way_too(value, threshold, way):
    one = Finding(value, threshold, None, False, "x", {})
    assert drawn_of(findings=[{"a": one}, {"a": None}])["overview"]["data"][0]["z"] == [[way, None]]


def test_an_alert_is_marked_where_it_began_in_the_row_of_its_rule():
    given = [{"errors": QUIET, "drift": LOUD}] * 2
    marks = drawn_of(findings=given, alerts=[alert(at=NOON + HOUR), alert(numbers=None, watch="gone")])["overview"][
        "data"
    ][2]
    assert (marks["x"], marks["y"]) == ([clock(NOON + HOUR)], [1])


def test_volume_and_errors_stand_on_each_other():
    answered, failed = drawn_of([window(drawn(5), n_errors=2)])["volume"]["data"]
    assert (answered["y"], failed["y"]) == ([5.0], [2.0])
    assert answered["x"] == ["2025-11-25 12:00"]


def test_a_window_without_answers_is_a_gap_and_not_nothing():
    found = drawn_of([*two(), window(start=NOON + 2 * HOUR)])
    assert found["confidence"]["data"][0]["y"][-1] is None
    assert found["latency"]["data"][0]["y"][-1] is None
    assert found["unsure"]["data"][0]["y"][-1] is None


def test_the_test_rows_are_a_dotted_line():
    usual = reference(300)
    for name, value in (("confidence", usual.answers.confidence.mean), ("quality", 0.9)):
        level = drawn_of(usual=usual)[name]["data"][-1]
        assert level["line"]["dash"] == "dot"
        assert level["y"] == pytest.approx([value] * 2)
        assert level["x"] == [clock(NOON), clock(NOON + 2 * HOUR)]
        assert len(drawn_of()[name]["data"]) == len(drawn_of(usual=usual)[name]["data"]) - 1


def test_only_the_commonest_labels_have_a_colour_and_the_shares_add_up():
    data = drawn_of([counted({f"label {n}": n + 1 for n in range(12)})])["labels"]["data"]
    assert [one["name"] for one in data] == [*(f"label {n}" for n in range(11, 3, -1)), "4 others"]
    assert math.fsum(one["y"][0] for one in data) == pytest.approx(1.0)


def test_the_share_called_right_is_of_the_last_windows_together():
    windows = [window(n_judged=10, n_wrong=n_wrong, start=NOON + n * HOUR) for n, n_wrong in enumerate([0, 5])]
    right, wrong, rolling = drawn_of(windows)["quality"]["data"]
    assert (right["y"], wrong["y"], rolling["y"]) == ([10.0, 5.0], [0.0, 5.0], [1.0, 0.75])


def test_labels_are_shown_as_they_are_and_long_ones_are_cut():
    data = drawn_of([counted({"<b>$x$</b>": 3, "长" * 60: 1})])["labels"]["data"]
    assert data[0]["name"] == "&lt;b&gt;&#36;x&#36;&lt;/b&gt;" == literal("<b>$x$</b>")
    assert data[1]["name"] == "长" * 27 + "…"
    assert "长" * 60 in data[1]["hovertemplate"]


@pytest.mark.parametrize(
    ("n_rows", "dots"), [([5], [7]), ([0, 5], [7]), ([5, 0, 5, 5], [7, 0, 0]), ([5, 5, 0, 5], [0, 0, 7])]
)
def test_a_window_without_neighbours_is_drawn_as_a_dot_for_no_line_leads_there(n_rows, dots):
    windows = [window(drawn(n) if n else [], start=NOON + at * HOUR) for at, n in enumerate(n_rows)]
    line = drawn_of(windows)["confidence"]["data"][0]
    assert [value is None for value in line["y"]] == [not n for n in n_rows]
    assert line["mode"] == "lines+markers"
    assert [size for size, n in zip(line["marker"]["size"], n_rows, strict=True) if n] == dots


@pytest.mark.parametrize(
    ("ms", "ends", "ticks"),
    [([107, 158], [2, 3], "D2"), ([100, 100], [2, 3], "D2"), ([0.8, 900], [-1, 3], 1), ([7, 70], [0, 2], "D2")],
)
def test_times_have_an_axis_of_whole_powers_of_ten_whatever_they_are(ms, ends, ticks):
    windows = [window([prediction(ms=one)], start=NOON + at * HOUR) for at, one in enumerate(ms)]
    axis = drawn_of(windows)["latency"]["layout"]["yaxis"]
    assert (axis["type"], axis["range"], axis["dtick"]) == ("log", ends, ticks)


def test_shares_that_lie_near_each_other_have_ticks_that_differ():
    assert drawn_of([window(drawn(5))])["confidence"]["layout"]["yaxis"]["tickformat"] == ".2~%"


def test_the_rule_of_an_alert():
    assert [rule_of(alert()), rule_of(alert(numbers=None)), rule_of(alert(numbers={}, watch="spike"))] == [
        "drift",
        "drift",
        "spike",
    ]


def test_a_past_of_counts_only_can_be_drawn():
    assert "volume" in drawn_of(past([3, 4, 5]))
