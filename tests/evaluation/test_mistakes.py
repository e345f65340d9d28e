import numpy as np

from burnish.evaluation.mistakes import MAX_CHARACTERS, confident_errors, hardest_errors
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import Span, SpanOutcome

SHARES = np.array([[0.9, 0.1, 0.0], [0.6, 0.39, 0.01], [0.5, 0.3, 0.2], [0.98, 0.01, 0.01]])
SINGLE = SingleOutcome(np.array([1, 2, 1, 0]), SHARES, ("a", "b", "c"))


def texts(rows):
    return [f"text {row}" for row in rows]


def test_confident_errors_are_the_wrong_rows_from_the_surest_down():
    found = confident_errors(SINGLE, texts, 10)
    assert [(one.row, one.confidence) for one in found] == [(0, 0.9), (1, 0.6), (2, 0.5)]
    assert (found[0].text, found[0].gold, found[0].predicted) == ("text 0", ["b"], ["a"])


def test_hardest_errors_are_those_whose_gold_label_got_least():
    found = hardest_errors(SINGLE, texts, 2)
    assert [(one.row, one.probability_of_gold) for one in found] == [(1, 0.01), (0, 0.1)]


def test_only_the_texts_that_are_shown_are_asked_for():
    asked = []
    confident_errors(SINGLE, lambda rows: asked.extend(rows) or texts(rows), 2)
    assert asked == [0, 1]


def test_a_row_with_a_label_too_many_or_too_few_is_wrong():
    gold = np.array([[True, False], [True, False], [True, True]])
    shares = np.array([[0.9, 0.7], [0.9, 0.2], [0.8, 0.4]])
    outcome = MultiOutcome(gold, shares, np.full(2, 0.5), ("a", "b"))
    assert [(one.row, one.confidence) for one in confident_errors(outcome, texts, 10)] == [(0, 0.7)]
    hardest = hardest_errors(outcome, texts, 10)
    assert [(one.row, one.gold, one.predicted) for one in hardest] == [(0, ["a"], ["a", "b"]), (2, ["a", "b"], ["a"])]


def spans(gold, found):
    return SpanOutcome([gold], [found], [[]], [[]], [[]], ("a", "b"))


def test_spans_are_marked_right_where_gold_and_prediction_agree():
    outcome = spans([Span(0, 2, "a"), Span(5, 7, "b")], [Span(0, 2, "a", 0.9), Span(5, 6, "b", 0.8)])
    (one,) = confident_errors(outcome, lambda rows: ["我们 在 上海"], 10)
    assert one.confidence == 0.8
    assert [(span.start, span.end, span.is_right) for span in one.gold_spans] == [(0, 2, True), (5, 7, False)]
    assert [(span.start, span.end, span.is_right) for span in one.predicted_spans] == [(0, 2, True), (5, 6, False)]


def test_a_missed_span_is_a_hard_error_but_not_a_confident_one():
    outcome = spans([Span(0, 2, "a")], [])
    assert confident_errors(outcome, texts, 10) == []
    assert [one.confidence for one in hardest_errors(outcome, texts, 10)] == [0.0]


def test_a_long_text_is_cut_around_the_first_wrong_span_and_offsets_move_with_it():
    text = "x" * 5000 + "Shanghai" + "y" * 5000
    outcome = spans([Span(5000, 5008, "a"), Span(9000, 9001, "a")], [Span(5000, 5008, "b", 0.9)])
    (one,) = confident_errors(outcome, lambda rows: [text], 10)
    assert len(one.text) == MAX_CHARACTERS
    assert (one.offset, one.n_characters) == (4900, 10_008)
    (span,) = one.gold_spans
    assert one.text[span.start : span.end] == "Shanghai"


def test_a_huge_text_is_cut_and_says_how_long_it_was():
    (one,) = confident_errors(SINGLE.take(np.array([0])), lambda rows: ["长" * 100_000], 10)
    assert (one.text, one.n_characters) == ("长" * MAX_CHARACTERS, 100_000)
