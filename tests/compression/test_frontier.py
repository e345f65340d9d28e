"""The budget: what breaks it, in words; the frontier: which is chosen and how it is told."""

import pytest
from pydantic import ValidationError

from burnish.compression.frontier import HEADINGS, JUDGED, Budget, Candidate, Frontier, fastest
from burnish.compression.measuring import Speed
from burnish.compression.parity import Parity


def candidate(name="small", rate=100.0, **changes):
    told = {
        "name": name, "score": 0.9, "drop": 0.2, "most_drop": 0.4, "size_mb": 20.0,
        "speed": Speed(texts_per_s=rate, median_ms=2.0, p99_ms=3.0),
    }  # fmt: skip
    return Candidate(**{**told, **changes})


def frontier(*candidates, chosen=None, refused=(), budget=None):
    return Frontier(
        metric="accuracy",
        n_rows=1234,
        budget=budget or Budget(),
        candidates=[candidate(JUDGED, 10.0, drop=0.0, most_drop=0.0), *candidates],
        refused=dict(refused),
        chosen=chosen,
        machine={"processor": "x86_64", "threads": "2"},
    )


def test_it_is_open_where_rows_are_too_few_to_tell_what_was_lost():
    assert frontier(candidate(drop=0.2, most_drop=2.9)).is_open
    assert not frontier(candidate(drop=0.2, most_drop=0.5)).is_open
    assert not frontier(candidate(drop=0.6, most_drop=2.9)).is_open
    assert not frontier().is_open


def test_what_keeps_to_every_limit_has_no_faults():
    budget = Budget(max_drop=0.4, target_ms=2.0, target_mb=20.0, keep={"a": 0.5})
    assert budget.faults(candidate(label_f1={"a": 0.5})) == []


@pytest.mark.parametrize(
    ("limits", "changes", "fault"),
    [
        ({}, {"most_drop": 0.504}, "may lose 0.50 points; 0.5 are allowed"),
        ({"max_drop": 0}, {"most_drop": 0.4}, "may lose 0.40 points; 0 are allowed"),
        ({}, {"most_drop": float("nan")}, "may lose nan points; 0.5 are allowed"),
        ({"target_ms": 1.5}, {}, "takes 2.00 ms a text; 1.5 are allowed"),
        ({"target_mb": 19}, {}, "has 20.0 MB; 19 are allowed"),
        ({"keep": {"a": 0.9}}, {"label_f1": {"a": 0.89, "b": 0}}, "F1 of 'a' is 0.890; 0.9 is asked"),
        ({"keep": {"a": 0.9}}, {"label_f1": {"a": float("nan")}}, "F1 of 'a' is nan; 0.9 is asked"),
        ({}, {"fault": "its outputs differ"}, "its outputs differ"),
    ],
)
def test_each_limit_is_told_in_words_when_it_is_broken(limits, changes, fault):
    assert Budget(**limits).faults(candidate(**changes)) == [fault]


def test_all_faults_are_told_at_once():
    budget = Budget(max_drop=0.1, target_ms=1, target_mb=1, keep={"a": 1})
    assert len(budget.faults(candidate(label_f1={"a": 0.0}, fault="x"))) == 5


@pytest.mark.parametrize("limits", [{"max_drop": -1}, {"target_ms": 0}, {"target_mb": -3}, {"keep": {"a": 1.1}}])
def test_limits_that_nothing_could_keep_to_are_refused(limits):
    with pytest.raises(ValidationError):
        Budget(**limits)


def test_the_fastest_that_fits_is_chosen_and_never_the_judged_model():
    slow, quick, bad = candidate("slow", 50), candidate("quick", 200), candidate("bad", 900, most_drop=0.6)
    assert fastest([slow, quick, bad], Budget()) == quick
    assert fastest([candidate(JUDGED, 999), slow], Budget()) == slow
    assert fastest([candidate(JUDGED, 999), bad], Budget()) is None
    assert fastest([], Budget()) is None


def test_the_table_has_a_cell_for_each_heading_and_marks():
    parity = Parity(kind="quantised", n_held_out=9, n_edge=1, largest_difference=1, agreement=0.9966, edge_agreement=1)
    one = frontier(
        candidate("quick", 12345.6, parity=parity), candidate("bad", drop=-0.25), chosen="quick", refused={"bad": ["x"]}
    )
    assert one.rows() == [
        ["", JUDGED, "0.9000", "+0.00", "+0.00", "10", "2.00", "3.00", "20.0", ""],
        ["→", "quick", "0.9000", "+0.20", "+0.40", "12,346", "2.00", "3.00", "20.0", "99.66%"],
        ["✗", "bad", "0.9000", "-0.25", "+0.40", "100", "2.00", "3.00", "20.0", ""],
    ]
    assert all(len(row) == 1 + len(HEADINGS) for row in one.rows())


def test_it_is_written_as_json_and_read_back():
    one = frontier(candidate("quick"), chosen="quick", budget=Budget(keep={"a": 0.5}))
    assert Frontier.model_validate(one.to_dict()) == one


@pytest.mark.parametrize(
    ("target_ms", "is_preferred"),
    [
        (None, True),  # more texts a second
        (5.0, True),  # both are quick enough for one text
        (3.0, False),  # it is not
        (1.0, False),  # none is: the quicker for one
    ],
)
def test_more_texts_a_second_are_better_once_a_single_one_is_quick_enough(target_ms, is_preferred):
    many, quick = (Speed(texts_per_s=rate, median_ms=ms, p99_ms=ms) for rate, ms in ((2000, 4), (1500, 2)))
    budget = Budget(target_ms=target_ms)
    assert (budget.prefers(many, quick), budget.prefers(quick, many)) == (is_preferred, not is_preferred)
