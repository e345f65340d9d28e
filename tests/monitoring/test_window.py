import json

from tests.monitoring.made import HOUR, NOON, drawn, feedback, prediction

from burnish.monitoring.window import Window


def test_only_predictions_of_the_period_are_counted():
    given = [prediction(1, NOON - 1), prediction(2, NOON), prediction(3, NOON + HOUR)]
    found = Window.of(iter(given), [], NOON, NOON + HOUR, n_errors=4)
    assert (found.answers.n_rows, found.n_errors, found.hours) == (1, 4, 1.0)


def test_feedback_on_an_older_answer_counts_in_the_period_in_which_it_came():
    older = prediction(1, NOON - 5 * HOUR)
    said = [feedback(1, "p1", NOON + 5, kind="label", value="praise"), feedback(2, "p1", NOON - 9)]
    found = Window.of([older, prediction(2)], said, NOON, NOON + HOUR)
    assert (found.answers.n_rows, found.n_judged, found.n_wrong) == (1, 1, 1)


def test_of_several_words_on_one_answer_the_last_counts():
    said = [feedback(1, at=NOON + 9, value=True), feedback(2, at=NOON + 5, value=False)]
    found = Window.of([prediction(0)], said, NOON, NOON + HOUR)
    assert (found.n_judged, found.n_wrong) == (1, 0)


def test_feedback_in_quarantine_does_not_count():
    found = Window.of([prediction(0)], [feedback(state="quarantined")], NOON, NOON + HOUR)
    assert found.n_judged == 0


def test_feedback_that_does_not_tell_right_from_wrong_does_not_count():
    said = [feedback(1, "unknown", kind="label", value="praise"), feedback(2, "p0", kind="score", value=2.0)]
    assert Window.of([prediction(0)], said, NOON, NOON + HOUR).n_judged == 0


def test_a_window_of_the_past_is_kept_small_and_is_as_good():
    found = Window.of(drawn(900), [], NOON, NOON + HOUR)
    lean = found.without_vectors()
    assert len(json.dumps(lean.to_dict())) < 4_000 < len(json.dumps(found.to_dict()))
    assert {**lean.to_dict(), "answers": None} == {**found.to_dict(), "answers": None}
    assert lean.answers.labels == found.answers.labels


def test_json_gives_it_back():
    found = Window.of(drawn(40), [feedback(value=False)], NOON, NOON + HOUR, 3)
    again = Window.of_dict(json.loads(json.dumps(found.to_dict())))
    assert again.to_dict() == found.to_dict()
    assert (again.n_wrong, again.n_errors) == (1, 3)
