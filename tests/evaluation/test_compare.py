import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from burnish.core.errors import UserError
from burnish.evaluation.bootstrap import resampled_scores
from burnish.evaluation.compare import compare, mcnemar, score_interval
from burnish.evaluation.scores import metrics_for
from burnish.metrics._multi import MultiOutcome
from burnish.metrics._relations import RelationOutcome
from burnish.metrics._single import SingleOutcome
from burnish.metrics._spans import Span, SpanOutcome


def single(n_right, n_rows=200, labels=("a", "b")):
    """Gold is always the label "a"; the first `n_right` rows get it."""
    shares = np.full((n_rows, 2), 0.1)
    place = labels.index("a")
    shares[:n_right, place] = 0.9
    shares[n_right:, 1 - place] = 0.9
    return SingleOutcome(np.full(n_rows, place), shares, labels)


def test_mcnemars_mid_p_is_that_of_the_binomial():
    # 1 against 5 of 6 that differ: 2 (P(0) + P(1)) − P(1) = (2 · 7 − 6) / 64
    first = np.array([1, 0, 0, 0, 0, 0, 1, 1], dtype=bool)
    second = np.array([0, 1, 1, 1, 1, 1, 1, 1], dtype=bool)
    assert mcnemar(first, second) == mcnemar(second, first) == pytest.approx(8 / 64)


def test_models_that_never_differ_have_a_p_of_one():
    assert mcnemar(np.array([True, False]), np.array([True, False])) == 1.0
    assert mcnemar(np.array([True, False]), np.array([False, True])) == pytest.approx(1.0)


def rows(n_lost, n_won, n_rows):
    """Who was right: of two models that differ in so many rows."""
    first, second = np.ones((2, n_rows), dtype=bool)
    second[:n_lost] = first[n_lost : n_lost + n_won] = False
    return first, second


@pytest.mark.parametrize("n_rows", [1, 93, 765])
def test_models_that_never_differ_may_differ_by_what_so_few_rows_can_show(n_rows):
    """z² / (N + z²): where N d / √(N d (1 - d)) is z. Of 765 rows that is half a point."""
    found = score_interval(*rows(0, 0, n_rows))
    assert found.high == -found.low == pytest.approx(1.9599640**2 / (n_rows + 1.9599640**2), abs=1e-7)


@pytest.mark.parametrize(
    ("n_lost", "n_won", "n_rows"), [(1, 0, 93), (0, 1, 93), (12, 9, 3000), (40, 10, 50), (5, 5, 10)]
)
def test_the_interval_ends_where_the_score_of_the_likeliest_shares_is_z(n_lost, n_won, n_rows):
    """Those shares found by search, given the difference, rather than by their quadratic."""
    low, high = score_interval(*rows(n_lost, n_won, n_rows))
    for drop, sign in ((-low, -1), (-high, 1)):

        def unlikely(won, drop=drop):
            shares = np.clip([won + drop, won, 1 - 2 * won - drop], 1e-300, 1)
            return -float(np.dot([n_lost, n_won, n_rows - n_lost - n_won], np.log(shares)))

        ends = max(0.0, -drop), (1 - drop) / 2
        won = minimize_scalar(unlikely, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
        score = (n_lost - n_won - n_rows * drop) / np.sqrt(n_rows * (2 * won + drop * (1 - drop)))
        assert score == pytest.approx(sign * 1.9599640, abs=2e-3)


def test_who_lost_every_row_lost_all():
    assert score_interval(*rows(3, 0, 3)).low == -1.0
    assert score_interval(*rows(0, 3, 3)).high == 1.0


def test_scores_that_never_differ_may_differ_by_what_so_few_rows_can_show_whatever_the_score():
    found = compare(single(150), single(150), seed=7, n_resamples=100)
    assert found.main.interval == score_interval(*rows(0, 0, 200))
    [other] = [one.interval for one in found.others if one.name == "macro_f1"]
    assert other.high == -other.low == pytest.approx(1.9599640**2 / (200 + 1.9599640**2), abs=1e-7)


def test_what_is_no_share_has_no_interval_where_nothing_differs():
    found = compare(single(150), single(150), seed=7, n_resamples=100)
    [nll] = [one.interval for one in found.others if one.name == "nll"]
    assert (nll.low, nll.high) == (0.0, 0.0)


def test_accuracy_has_the_score_interval_and_other_scores_that_of_the_bootstrap():
    first, second = single(150), single(130)
    found = compare(first, second, seed=7, n_resamples=100)
    assert found.main.interval == score_interval(*rows(20, 0, 200))
    macro_f1 = next(metric for metric in metrics_for(SingleOutcome) if "macro_f1" in metric.score(first))
    moved = [resampled_scores(one, [macro_f1], 100, 7)["macro_f1"] for one in (first, second)]
    [other] = [one.interval for one in found.others if one.name == "macro_f1"]
    assert (other.low, other.high) == tuple(np.quantile(moved[1] - moved[0], [0.025, 0.975]))


def test_a_clear_difference_names_the_better():
    found = compare(single(150), single(180), seed=7, n_resamples=400)
    assert found.sentence.startswith("The second is better: accuracy 0.7500 against 0.9000 on the same 200 rows")
    assert found.test == "McNemar mid-p"
    assert found.main.difference == pytest.approx(0.15)
    assert 0.09 < found.main.interval.low < 0.15 < found.main.interval.high < 0.21
    assert compare(single(180), single(150), seed=7, n_resamples=400).sentence.startswith("The first is better")


def test_a_small_difference_is_not_made_more_of():
    found = compare(single(150), single(152), seed=7, n_resamples=400)
    assert found.sentence.startswith("No difference that these rows can show")


def test_the_order_of_labels_does_not_matter():
    found = compare(single(150), single(150, labels=("b", "a")), seed=7, n_resamples=50)
    assert found.main.difference == 0.0
    assert found.main.p_value == 1.0


@pytest.mark.parametrize(
    ("kind", "name"), [(MultiOutcome, "micro_f1"), (SpanOutcome, "entity_f1"), (RelationOutcome, "semeval_f1")]
)
def test_many_labels_spans_and_relations_are_compared_by_a_paired_bootstrap(kind, name, make_outcome):
    worse, best = make_outcome(kind, seed=1), make_outcome(kind, seed=1, is_perfect=True)
    found = compare(worse, best, seed=7, n_resamples=200)
    assert (found.main.name, found.test) == (name, "paired bootstrap")
    assert found.main.interval.low > 0
    assert found.main.p_value == pytest.approx(2 / 201)  # no resample of 200 says otherwise
    assert found.sentence.startswith("The second is better")


def test_models_of_no_difference_rarely_seem_to_differ(make_outcome):
    draw = np.random.default_rng(0)
    n_false = 0
    for _ in range(20):
        gold = draw.random((80, 3)) < 0.4
        shares = [draw.random((80, 3)) * 0.6 + 0.4 * gold for _ in range(2)]
        first, second = (MultiOutcome(gold, one, np.full(3, 0.5), ("a", "b", "c")) for one in shares)
        n_false += compare(first, second, seed=7, n_resamples=100).main.p_value < 0.05
    assert n_false <= 4  # of 20, one is expected; five or more would come by chance 3 times in 1000


def test_the_comparison_is_plain_data(make_outcome):
    plain = compare(single(150), single(160), seed=7, n_resamples=50).to_dict()
    assert plain["main"]["name"] == "accuracy"
    assert {item["name"] for item in plain["others"]} >= {"ece", "macro_f1", "nll"}


def test_different_tasks_are_not_compared(make_outcome):
    with pytest.raises(
        UserError, match=r"^compare: the two models are of different tasks; only models of one task can be compared\.$"
    ):
        compare(single(1), make_outcome(MultiOutcome), seed=7)


def test_different_numbers_of_rows_are_not_compared():
    with pytest.raises(
        UserError, match="compare: the two were judged on 200 and 190 rows; judge both on the same data"
    ):
        compare(single(1), single(1, n_rows=190), seed=7)


def test_no_rows_are_not_compared():
    with pytest.raises(UserError, match="compare: there are no rows to compare on"):
        compare(single(0, n_rows=0), single(0, n_rows=0), seed=7)


def test_different_gold_labels_are_not_compared():
    first = SpanOutcome([[Span(0, 2, "a")]], [[]], [["B-a"]], [["O"]], [[1.0]], ("a",))
    second = SpanOutcome([[Span(0, 3, "a")]], [[]], [["B-a"]], [["O"]], [[1.0]], ("a",))
    with pytest.raises(UserError) as caught:
        compare(first, second, seed=7)
    assert str(caught.value) == (
        "compare: 1 of 1 rows have different gold labels, the first being row 1; "
        "judge both on the same data, in the same order."
    )
