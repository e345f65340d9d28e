import math
import re

import pytest
from tests.feedback.crowd import opinion

from burnish.feedback.agreement import MOST_VALUES, alpha, conflicts, distance, kappa, ratings, resolve

# Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability", the reliability data of section C.
KRIPPENDORFF = {
    "A": [1, 2, 3, 3, 2, 1, 4, 1, 2, None, None, None],
    "B": [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, None, 3],
    "C": [None, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, None],
    "D": [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, None],
}


def rated(kind):
    return {
        str(unit): {user: kind(own[unit]) for user, own in KRIPPENDORFF.items() if own[unit] is not None}
        for unit in range(12)
    }


def test_alpha_of_names_and_of_numbers_is_that_of_krippendorffs_own_example():
    assert alpha(rated(str)) == pytest.approx(0.743, abs=0.0005)
    assert alpha(rated(float)) == pytest.approx(0.849, abs=0.0005)


def test_alpha_is_one_where_all_agree_and_below_zero_where_they_agree_less_than_chance():
    assert alpha({"x": {"a": "p", "b": "p"}, "y": {"a": "q", "b": "q"}}) == 1
    # observed: both units differ, Do = 1; expected: of 4 values, 2 of each, 8 of 12 ordered pairs differ: 1 - 1/(2/3)
    assert alpha({"x": {"a": "p", "b": "q"}, "y": {"a": "q", "b": "p"}}) == pytest.approx(-0.5)


def test_alpha_says_nothing_where_nobody_can_be_compared_or_nothing_varies():
    assert math.isnan(alpha({}))
    assert math.isnan(alpha({"x": {"a": "p"}}))
    assert math.isnan(alpha({"x": {"a": "p", "b": "p"}}))


def test_alpha_of_sets_weighs_how_far_they_are_apart():
    near = alpha({"x": {"a": frozenset("pq"), "b": frozenset("p")}, "y": {"a": frozenset("r"), "b": frozenset("r")}})
    far = alpha({"x": {"a": frozenset("pq"), "b": frozenset("s")}, "y": {"a": frozenset("r"), "b": frozenset("r")}})
    assert far < near < 1


def test_alpha_of_very_many_different_values_compares_some_of_them():
    n = MOST_VALUES
    table = {str(i): {"a": float(i), "b": float(i) + 1} for i in range(n)}
    # 2n values; observed (1)^2 for every pair; expected: twice the variance of 0 … n, each value given twice
    values = [value for i in range(n) for value in (i, i + 1)]
    mean = sum(values) / (2 * n)
    expected = 2 * sum((value - mean) ** 2 for value in values) / (2 * n - 1)
    assert alpha(table) == pytest.approx(1 - 1 / expected, abs=1e-8)


def test_kappa_is_that_of_the_textbook():
    # 50 cases: yes-yes 20, yes-no 5, no-yes 10, no-no 15; observed 0.7; expected 0.5 × 0.6 + 0.5 × 0.4 = 0.5
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    table = {str(i): {"ann": one, "bob": other} for i, (one, other) in enumerate(pairs)} | {"alone": {"ann": "y"}}
    assert kappa(table, "ann", "bob") == pytest.approx(0.4)


def test_kappa_says_nothing_without_shared_inputs_or_where_nothing_varies():
    assert math.isnan(kappa({"x": {"ann": "y"}}, "ann", "bob"))
    assert math.isnan(kappa({"x": {"ann": "y", "bob": "y"}}, "ann", "bob"))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("a", "a", 0),
        ("a", "b", 1),
        (1.0, 3.0, 4),
        (frozenset("ab"), frozenset("ab"), 0),
        (frozenset(), frozenset(), 0),
        (frozenset("ab"), frozenset("a"), 1 - 2 / 3 * 1 / 2),
        (frozenset("ab"), frozenset("bc"), 1 - 1 / 3 * 1 / 3),
        (frozenset("a"), frozenset("b"), 1),
    ],
)
def test_the_distance_of_sets_is_masi(one, other, expected):
    assert distance(one, other) == pytest.approx(expected)


def test_ratings_hold_what_each_user_says_last_of_each_input():
    said = [
        opinion("ann", "a", item="x", number=0, at=1.0),
        opinion("ann", "b", item="x", number=1, at=2.0),
        opinion("bob", None, item="x", number=2),
    ]
    assert ratings(said) == {"x": {"ann": "b"}}


# Conflicts.


def test_a_conflict_is_where_two_cannot_both_be_right():
    said = [
        opinion("ann", "b", item="two golds", number=0),
        opinion("bob", "c", item="two golds", number=1),
        opinion("cat", "c", item="two golds", number=2),
        opinion("ann", "a", item="right and wrong", number=3),
        opinion("bob", None, item="right and wrong", number=4),
        opinion("ann", "b", item="b, and not a", number=5),
        opinion("bob", None, item="b, and not a", number=6),
        opinion("ann", "b", item="the same", number=7),
        opinion("bob", "b", item="the same", number=8),
        opinion("ann", None, item="only no", number=9),
        opinion("bob", None, item="only no", number=10),
    ]
    found = conflicts(said)
    assert [one.item for one in found] == ["two golds", "right and wrong"]
    assert found[0].golds == ["c", "b"]
    assert [one.user for one in found[0].opinions] == ["ann", "bob", "cat"]


def settled(*golds, **how):
    said = [opinion(user, gold, item="x", number=number) for number, (user, gold) in enumerate(golds)]
    [found] = resolve(said, **how)
    return found


def test_the_majority_settles_what_is_right():
    found = settled(("ann", "b"), ("bob", "b"), ("cat", "c"))
    assert (found.gold, found.is_open) == ("b", False)
    assert found.share == pytest.approx(2 / 3)
    assert [one.user for one in found.backed_by] == ["ann", "bob"]


def test_a_tie_stays_open():
    found = settled(("ann", "b"), ("bob", "c"))
    assert (found.gold, found.is_open, found.share, found.backed_by) == (None, True, 0.5, ())


def test_most_votes_are_not_yet_a_majority():
    assert settled(("ann", "b"), ("bob", "b"), ("cat", "c"), ("dan", "d")).is_open


def test_the_word_that_the_answer_is_wrong_speaks_against_that_answer_alone():
    assert settled(("ann", "b"), ("bob", None)).gold == "b"
    assert settled(("ann", "a"), ("bob", None)).is_open
    assert settled(("ann", None), ("bob", None)).is_open


def test_trust_weighs_the_users_and_an_unknown_one_has_half():
    votes = (("ann", "b"), ("bob", "c"), ("cat", "c"))
    assert settled(*votes).gold == "c"
    assert settled(*votes, trust={"ann": 1.0, "bob": 0.4, "cat": 0.4}).gold == "b"
    assert settled(*votes, trust={"ann": 1.0}).is_open  # 1 against 0.5 + 0.5
    assert settled(*votes, trust=dict.fromkeys(("ann", "bob", "cat"), 0.0)).is_open


def test_a_larger_share_may_be_asked_for():
    votes = (("ann", "b"), ("bob", "b"), ("cat", "c"))
    assert settled(*votes, least_share=0.6).gold == "b"
    assert settled(*votes, least_share=0.7).is_open


@pytest.mark.parametrize("share", [0.4, 1.0])
def test_a_share_at_which_two_could_win_or_none_is_refused(share):
    with pytest.raises(
        ValueError,
        match=re.escape(f"least_share must be from 0.5 to below 1, so that one gold at most can win; got {share}."),
    ):
        settled(("ann", "b"), least_share=share)


def test_a_user_counts_once_however_often_he_says_it():
    said = [opinion("ann", "b", item="x", number=n, at=float(n)) for n in range(5)]
    said += [opinion("bob", "c", item="x", number=9)]
    assert resolve(said)[0].is_open
