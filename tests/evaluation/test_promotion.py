"""The gate between two versions, on rows that can be counted by hand.

McNemar's mid-p of n rows that only one of two models gets right is 2 · 0.5ⁿ − 0.5ⁿ = 0.5ⁿ: 4 rows give 0.0625, and 5
give 0.03125.
"""

import numpy as np
import pytest

from burnish.core.errors import UserError
from burnish.evaluation.bootstrap import Interval
from burnish.evaluation.compare import Difference
from burnish.evaluation.promotion import Contender, Policy, is_better, is_worse, learned, weigh
from burnish.metrics._joint import JointOutcome
from burnish.metrics._likelihood import LikelihoodOutcome
from burnish.metrics._single import SingleOutcome


def answered(n_rows, wrong=(), n_labels=2, sure=1.0):
    """Rows whose gold labels go round; of those at `wrong` the label after the right one is given."""
    gold = np.arange(n_rows) % n_labels
    given = gold.copy()
    given[list(wrong)] = (given[list(wrong)] + 1) % n_labels
    shares = np.full((n_rows, n_labels), (1 - sure) / (n_labels - 1))
    shares[np.arange(n_rows), given] = sure
    return SingleOutcome(gold, shares, tuple(f"标签 {number}" for number in range(n_labels)))


def one(outcome, size_bytes=10_000_000, ms=10.0):
    return Contender(outcome, size_bytes, ms)


def weighed(production, candidate, **policy):
    """Name of a check → whether it is passed, and all of the verdict."""
    verdict = weigh(production, candidate, Policy(**policy))
    return {check.name: check.is_passed for check in verdict.checks}, verdict


def sentence(verdict, name):
    return next(check.sentence for check in verdict.checks if check.name == name)


# The decisive score.


def test_an_equal_version_passes_and_is_not_better():
    checks, verdict = weighed(one(answered(40)), one(answered(40)))
    assert checks == {"accuracy": True, "labels": True, "calibration": True, "latency": True, "size": True}
    assert (verdict.is_passed, verdict.is_better, verdict.n_rows) == (True, False, 40)


def test_a_better_version_passes_and_is_better():
    _, verdict = weighed(one(answered(40, wrong=[3])), one(answered(40)))
    assert (verdict.is_passed, verdict.is_better) == (True, True)


def test_five_rows_lost_are_more_than_chance_and_four_are_not():
    four, passed = weighed(one(answered(40)), one(answered(40, wrong=[0, 1, 2, 3])))
    five, missed = weighed(one(answered(40)), one(answered(40, wrong=[0, 1, 2, 3, 5])))
    assert (four["accuracy"], passed.is_better) == (True, False)
    assert (five["accuracy"], missed.is_passed) == (False, False)
    assert sentence(missed, "accuracy").startswith("The first is better: accuracy 1.0000 against 0.8750 on the same 40")


def test_the_significance_moves_that_border():
    production, four = one(answered(40)), one(answered(40, wrong=[0, 1, 2, 3]))
    assert weighed(production, four, significance=0.07)[0]["accuracy"] is False
    five = one(answered(40, wrong=[0, 1, 2, 3, 5]))
    assert weighed(production, five, significance=0.03)[0]["accuracy"] is True


def test_a_score_that_should_be_low_is_better_when_it_falls():
    def moved(difference, p_value=0.001):
        return Difference(
            name="perplexity",
            first=2.0,
            second=2.0 + difference,
            difference=difference,
            interval=Interval(0, 0),
            p_value=p_value,
            is_better_high=False,
        )

    assert (is_better(moved(-0.5)), is_worse(moved(-0.5), 0.05)) == (True, False)
    assert (is_better(moved(0.5)), is_worse(moved(0.5), 0.05)) == (False, True)
    assert is_worse(moved(0.5, p_value=0.2), 0.05) is False
    assert (is_better(moved(0.0)), is_worse(moved(0.0), 0.05)) == (False, False)


def test_a_score_that_is_no_number_is_worse():
    """A model whose weights are NaN has a perplexity of NaN: it must not pass for lower."""
    n_tokens = np.full(20, 4)
    well, ill = (LikelihoodOutcome(np.full(20, value), n_tokens) for value in (2.0, np.nan))
    checks, verdict = weighed(one(well), one(ill))
    assert (checks["perplexity"], verdict.is_better) == (False, False)


def test_answers_without_labels_or_confidence_are_weighed_by_score_time_and_size():
    outcome = LikelihoodOutcome(np.full(20, 2.0), np.full(20, 4))
    assert list(weighed(one(outcome), one(outcome))[0]) == ["perplexity", "latency", "size"]


def test_versions_that_answered_other_rows_cannot_be_weighed():
    with pytest.raises(UserError, match="compare: the two were judged on 40 and 30 rows"):
        weigh(one(answered(40)), one(answered(30)), Policy())


# Every label.


def test_a_small_label_that_is_lost_holds_back_a_version_that_is_better_over_all():
    """150 labels of 10 rows. Ten rows of the first are lost and twelve of others won; of all labels the first alone
    could reach the significance, so its 0.5¹⁰ = 0.00098 is held against 0.05, and not against 0.05 / 150 = 0.00033.
    """
    lost = [150 * number for number in range(10)]
    won = list(range(1, 13))
    checks, verdict = weighed(
        one(answered(1500, wrong=won, n_labels=150)), one(answered(1500, wrong=lost, n_labels=150))
    )
    assert (checks["accuracy"], checks["labels"], verdict.is_better) == (True, False, True)
    assert sentence(verdict, "labels") == "Recall fell for 标签 0 1.00 → 0.00."
    assert not verdict.is_passed


@pytest.mark.parametrize(("n_lost", "is_passed"), [(5, True), (6, False)])
def test_two_labels_that_could_be_lost_share_the_significance(n_lost, is_passed):
    """Either loses n rows: 0.5⁵ = 0.031 is more than 0.05 / 2, and 0.5⁶ = 0.016 less. Others win as many."""
    n_labels, n_rows = 20, 20 * 12
    lost = [n_labels * row + label for label in (0, 1) for row in range(n_lost)]
    won = [label for label in range(2, n_labels)]  # one row of each, which none of them could reach it with
    checks, _ = weighed(
        one(answered(n_rows, wrong=won, n_labels=n_labels)), one(answered(n_rows, wrong=lost, n_labels=n_labels))
    )
    assert checks == {"accuracy": True, "labels": is_passed, "calibration": True, "latency": True, "size": True}


@pytest.mark.parametrize(("most_label_drop", "is_passed"), [(0.1, True), (0.05, False)])
def test_so_much_of_a_label_may_be_lost(most_label_drop, is_passed):
    """Of 100 rows 8 are lost, more than by chance (0.5⁸ = 0.004), and 8 of the other label are won."""
    lost, won = [2 * row for row in range(8)], [2 * row + 1 for row in range(8)]
    production, candidate = one(answered(200, wrong=won)), one(answered(200, wrong=lost))
    assert weighed(production, candidate, most_label_drop=most_label_drop)[0]["labels"] is is_passed


def test_of_many_lost_labels_the_five_worst_are_named():
    n_labels, n_rows = 10, 10 * 30
    n_lost = {0: 30, 1: 29, 2: 28, 3: 27, 4: 26, 5: 25, 6: 24}
    lost = [n_labels * row + label for label, n in n_lost.items() for row in range(n)]
    _, verdict = weighed(one(answered(n_rows, n_labels=n_labels)), one(answered(n_rows, lost, n_labels)))
    assert sentence(verdict, "labels") == (
        "Recall fell for 标签 0 1.00 → 0.00, 标签 1 1.00 → 0.03, 标签 2 1.00 → 0.07, 标签 3 1.00 → 0.10, "
        "标签 4 1.00 → 0.13 and 2 more."
    )


# Calibration and costs.


@pytest.mark.parametrize(("most_ece_rise", "is_passed"), [(0.03, False), (0.05, True)])
def test_a_version_may_not_be_surer_than_it_is_right(most_ece_rise, is_passed):
    """900 of 1,000 right: at a confidence of 0.90 an error of 0, at 0.94 one of 0.04."""
    wrong = list(range(100))
    production, candidate = one(answered(1000, wrong, sure=0.9)), one(answered(1000, wrong, sure=0.94))
    checks, verdict = weighed(production, candidate, most_ece_rise=most_ece_rise)
    assert (checks["accuracy"], checks["calibration"]) == (True, is_passed)
    told = f"The calibration error is 0.040; it was 0.000, and may rise by {most_ece_rise}."
    assert sentence(verdict, "calibration") == told


def test_a_rise_of_the_calibration_error_that_may_be_chance_holds_nothing_back():
    """90 of 100 right: of those who are right nine times in ten, one in four has 92 or more of 100 right, where 0.94 is
    the better guess.
    """
    wrong = list(range(10))
    checks, verdict = weighed(one(answered(100, wrong, sure=0.9)), one(answered(100, wrong, sure=0.94)))
    assert checks["calibration"] is True
    told = "0.040; it was 0.000, and may rise by 0.03. So few rows cannot tell this from chance (p = 0."
    assert told in sentence(verdict, "calibration")


def test_a_version_that_is_better_calibrated_passes():
    wrong = list(range(10))
    assert weighed(one(answered(100, wrong, sure=0.6)), one(answered(100, wrong, sure=0.9)))[0]["calibration"] is True


@pytest.mark.parametrize(
    ("ms", "policy", "is_passed"), [(15.0, {}, True), (15.1, {}, False), (15.1, {"most_times_slower": 2}, True)]
)
def test_a_version_may_be_half_as_slow_again(ms, policy, is_passed):
    checks, verdict = weighed(one(answered(40)), one(answered(40), ms=ms), **policy)
    assert (checks["latency"], checks["size"], verdict.is_passed) == (is_passed, True, is_passed)


@pytest.mark.parametrize(
    ("size", "policy", "is_passed"), [(15, {}, True), (15.1, {}, False), (15.1, {"most_times_larger": 2}, True)]
)
def test_a_version_may_be_half_as_large_again(size, policy, is_passed):
    checks, verdict = weighed(one(answered(40)), one(answered(40), size_bytes=int(size * 1e6)), **policy)
    assert (checks["size"], checks["latency"], verdict.is_passed) == (is_passed, True, is_passed)


def test_costs_are_told_with_their_units():
    _, verdict = weighed(one(answered(40)), one(answered(40), size_bytes=20_000_000, ms=3))
    assert sentence(verdict, "latency") == "It takes 3 ms; production takes 10, and 1.5 times that is allowed."
    assert sentence(verdict, "size") == "It takes 20 MB; production takes 10, and 1.5 times that is allowed."


def test_a_verdict_can_be_kept_as_json():
    _, verdict = weighed(one(answered(40)), one(answered(40), ms=99))
    kept = verdict.to_dict()
    assert (kept["is_passed"], kept["is_better"], kept["n_rows"]) == (False, False, 40)
    assert [check["name"] for check in kept["checks"] if not check["is_passed"]] == ["latency"]


@pytest.mark.parametrize(
    "setting", [{"significance": 0}, {"most_label_drop": -1}, {"most_times_slower": 0}, {"sig": 1}]
)
def test_a_policy_has_bounds(setting):
    with pytest.raises(ValueError, match=next(iter(setting))):
        Policy(**setting)


# Several tasks that share a model.


def together(**parts):
    """Tasks that were judged one after the other."""
    sizes = [len(part) for part in parts.values()]
    part, at = np.repeat(np.arange(len(parts)), sizes), np.concatenate([np.arange(size) for size in sizes])
    return JointOutcome(parts, dict.fromkeys(parts, "accuracy"), part, at)


def test_each_of_several_tasks_is_looked_at_by_its_name():
    outcome = together(mood=answered(40), topic=answered(40))
    checks, verdict = weighed(one(outcome), one(outcome))
    named = [f"{task}/{check}" for task in ("mood", "topic") for check in ("accuracy", "labels", "calibration")]
    assert list(checks) == ["task_mean", *named, "latency", "size"]
    assert (verdict.is_passed, verdict.n_rows) == (True, 80)


def test_a_task_that_got_better_does_not_pay_for_one_that_got_worse():
    """The mean stays where it was: seven rows are lost in one and won in the other."""
    production = together(mood=answered(40), topic=answered(40, wrong=range(7)))
    candidate = together(mood=answered(40, wrong=range(7)), topic=answered(40))
    checks, verdict = weighed(one(production), one(candidate))
    assert (checks["task_mean"], checks["mood/accuracy"], checks["topic/accuracy"]) == (True, False, True)
    assert verdict.is_passed is False


def test_of_two_tasks_each_has_half_of_the_significance():
    """Five rows lost give 0.03125, above 0.05 / 2; six give 0.015625."""
    production = together(mood=answered(40), topic=answered(40))
    for n, is_passed in ((5, True), (6, False)):
        candidate = together(mood=answered(40, wrong=range(n)), topic=answered(40))
        assert weighed(one(production), one(candidate))[0]["mood/accuracy"] is is_passed


# What corrections taught.


@pytest.mark.parametrize(
    ("n_wrong", "n_right", "is_passed"),
    [
        (28, 0, True),  # 1 − 0.05^(1/28) = 0.1015: so few may be a tenth
        (29, 0, False),  # 1 − 0.05^(1/29) = 0.0981
        (60, 1, False),  # of 0.9^60 + 60 · 0.1 · 0.9^59 = 0.0138 that a tenth gives no more than one
        (60, 3, True),
        (5, 5, True),
    ],
)
def test_what_was_learned_must_hold_for_corrections_that_were_kept_back(n_wrong, n_right, is_passed):
    production = answered(80, wrong=range(n_wrong))
    check = learned(production, answered(80, wrong=range(n_right, n_wrong)), Policy())
    assert (check.name, check.is_passed) == ("corrections hold", is_passed)
    told = f"Of {n_wrong} corrections kept back of answers that production gets wrong it answers {n_right} as they say"
    why = "." if is_passed else ": what the others taught does not hold for these, so look for wrong ones."
    assert check.sentence == f"{told}{why}"


def test_how_much_must_hold_and_how_surely_is_asked_for():
    production, candidate = answered(80, wrong=range(60)), answered(80, wrong=range(3, 60))
    assert learned(production, candidate, Policy(least_learned=0.2)).is_passed is False
    assert learned(production, candidate, Policy(least_learned=0)).is_passed is True
    twenty = answered(80, wrong=range(20))
    assert learned(twenty, twenty, Policy()).is_passed is True
    assert learned(twenty, twenty, Policy(significance=0.5)).is_passed is False


def test_nothing_is_asked_of_corrections_that_production_agrees_with_or_of_rows_without_one_label():
    right = answered(40)
    assert learned(right, right, Policy()) is None
    likely = LikelihoodOutcome.toy()
    assert learned(likely, likely, Policy()) is None
