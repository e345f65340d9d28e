import json

import numpy as np
import pytest

from burnish.core.errors import UserError
from burnish.evaluation.findings import Report
from burnish.evaluation.report import build_report, gate_names
from burnish.evaluation.scores import metrics_for, score_all
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import SpanOutcome
from burnish.recipe.schema import JudgeSection

KINDS = [SingleOutcome, MultiOutcome, SpanOutcome]


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_survives_json(kind, make_report):
    report = make_report(kind)
    assert Report.model_validate(json.loads(report.model_dump_json())) == report


@pytest.mark.parametrize("kind", KINDS)
def test_every_score_of_the_shelf_is_in_it_with_an_interval(kind, make_report, make_outcome):
    report = make_report(kind)
    expected = score_all(make_outcome(kind), metrics_for(kind))
    assert {name: report.scores[name] for name in expected} == expected
    assert set(report.intervals) == set(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_names_for_gates_are_known_beforehand(kind, make_report):
    assert gate_names(kind) == sorted(make_report(kind).scores)
    assert set(make_report(kind).headline) <= set(gate_names(kind))


def test_the_threshold_is_chosen_on_dev_and_measured_on_the_judged_split(make_evidence, make_outcome):
    dev = make_outcome(SingleOutcome, n_rows=300, is_perfect=True)
    report = build_report(make_evidence(SingleOutcome, dev=dev), JudgeSection(target_precision=0.9), seed=7)
    assert report.selective.chosen_on == "dev"
    assert report.selective.is_reached
    assert report.selective.threshold == 1.0
    assert report.scores["coverage_at_target"] == 0.0


def test_the_wanted_precision_moves_the_threshold(make_evidence, make_outcome):
    draw = np.random.default_rng(0)
    sure = draw.beta(6, 0.5, size=2000)
    shares = np.stack([sure, 1 - sure], axis=1)
    dev = SingleOutcome((draw.random(2000) > sure).astype(int), shares, ("a", "b"))
    lax, strict = (
        build_report(make_evidence(SingleOutcome, dev=dev), JudgeSection(target_precision=target), seed=7)
        for target in (0.9, 0.97)
    )
    assert strict.selective.threshold > lax.selective.threshold


def test_without_dev_the_threshold_says_that_it_was_chosen_on_the_judged_split(make_report):
    assert make_report(SingleOutcome, dev=None, split="test").selective.chosen_on == "test"


def test_gates_make_the_verdict(make_report):
    assert make_report(SingleOutcome).verdict == "No gates were set."
    assert make_report(SingleOutcome, gates={"accuracy": ">= 0"}).verdict == "The gate is passed."
    assert make_report(SingleOutcome, gates={"accuracy": ">= 0", "ece": "<= 1"}).verdict == "All 2 gates are passed."
    missed = make_report(SingleOutcome, gates={"accuracy": "> 1", "coverage_at_target": ">= 0"})
    assert missed.verdict == f"1 of 2 gates missed: accuracy is {missed.scores['accuracy']:.4f}, wanted > 1."


def test_a_gate_on_an_unknown_score_is_refused(make_report):
    with pytest.raises(UserError, match=r"judge\.gates\.entity_f1: there is no score of that name"):
        make_report(SingleOutcome, gates={"entity_f1": "> 0.5"})


def test_calibration_is_shown_before_and_after(make_report, make_outcome):
    raw = make_outcome(SingleOutcome, seed=5)
    report = make_report(SingleOutcome, raw=raw)
    assert report.calibration.parameters == {"temperature": 1.5}
    assert report.calibration.ece_before == pytest.approx(score_all(raw, metrics_for(SingleOutcome))["ece"])
    assert report.calibration.ece_after == report.scores["ece"]
    assert sum(one.n for one in report.calibration.after) == report.n_rows


def test_the_curve_has_at_most_101_points_and_ends_at_full_coverage(make_report):
    curve = make_report(SingleOutcome, n_rows=600).selective.curve
    assert len(curve) <= 101
    assert curve[-1].coverage == 1.0
    assert [point.coverage for point in curve] == sorted(point.coverage for point in curve)


def test_a_reader_is_warned_of_dev_of_few_rows_and_of_a_target_out_of_reach(make_report):
    notes = " ".join(make_report(SingleOutcome, split="dev").notes)
    assert "Judged on dev" in notes
    assert "Only 60 rows were judged" in notes
    assert "makes a precision of 95 % likely" in notes
    many = {"id": [str(row) for row in range(60)]}
    assert "Slice 'id' has 60 values; the 30 commonest are shown." in make_report(SingleOutcome, slices=many).notes


def test_seeds_are_averaged_over_the_scores_that_all_have(make_report):
    each = [{"accuracy": 0.8, "ece": 0.1}, {"accuracy": 0.9}, {"accuracy": 1.0}]
    seeds = make_report(SingleOutcome, seeds=each).seeds
    assert seeds.mean == {"accuracy": pytest.approx(0.9)}
    assert seeds.sd == {"accuracy": pytest.approx(0.1)}
    assert seeds.each == each
    assert make_report(SingleOutcome, seeds=each[:1]).seeds is None


def test_no_bootstrap_leaves_the_intervals_out(make_evidence):
    assert build_report(make_evidence(SingleOutcome), JudgeSection(n_bootstrap=0), seed=7).intervals == {}


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_to_list_lists_nothing(kind, make_report, make_outcome):
    outcome = make_outcome(kind, is_perfect=True)
    report = make_report(kind, outcome=outcome, raw=outcome)
    assert report.confident_errors == report.hardest_errors == report.worst_pairs == []
    assert make_report(kind, n_errors=0).confident_errors == []
