import numpy as np

from burnish.evaluation.findings import ClassRow
from burnish.evaluation.formats._figures import MOST_BARS, MOST_CELLS, figures_of, literal
from burnish.metrics._single import SingleOutcome


def test_many_labels_show_the_most_confused_block_and_the_extremes_of_f1(make_report, make_outcome):
    outcome = make_outcome(SingleOutcome, n_labels=80, n_rows=600)
    figures = figures_of(make_report(SingleOutcome, outcome=outcome, raw=outcome, dev=None, n_rows=600))
    heat = figures["confusion"]["data"][0]
    assert len(heat["z"]) == len(heat["z"][0]) == MOST_CELLS
    assert len(figures["classes"]["data"][0]["x"]) == MOST_BARS


def test_few_labels_show_every_cell_as_a_share_of_the_gold_label(make_report, make_outcome):
    outcome = SingleOutcome(np.array([0] * 30 + [1] * 30), np.eye(2)[[0] * 20 + [1] * 40], ("a", "b"))
    figures = figures_of(make_report(SingleOutcome, outcome=outcome, raw=outcome, dev=None))
    assert figures["confusion"]["data"][0]["z"] == [[20 / 30, 10 / 30], [None, 1.0]]


def test_labels_that_look_alike_when_cut_keep_places_of_their_own(make_report, make_outcome):
    long = "a label so long that its end is cut off "
    outcome = SingleOutcome(np.arange(60) % 3, np.eye(3)[np.arange(60) % 3], (long + "1", long + "2", "2020-01-01"))
    axis = figures_of(make_report(SingleOutcome, outcome=outcome, raw=outcome, dev=None))["classes"]["layout"]["yaxis"]
    assert len(set(axis["tickvals"])) == 3
    assert sorted(axis["ticktext"]) == ["2020-01-01", "a label so long that its en…", "a label so long that its en…"]


def test_plotly_is_given_text_and_not_markup():
    assert literal("<b>a</b> & $x$") == "&lt;b&gt;a&lt;/b&gt; &amp; &#36;x&#36;"


def test_a_label_without_gold_rows_has_no_bar(make_report):
    report = make_report(SingleOutcome)
    empty = ClassRow(label="never", precision=0, recall=0, f1=0, support=0, n_predicted=0)
    shown = figures_of(report.model_copy(update={"per_class": [*report.per_class, empty]}))["classes"]["data"][0]
    assert len(shown["x"]) == len(report.per_class)
