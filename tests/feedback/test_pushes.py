import pytest
from scipy.stats import binom
from tests.feedback.crowd import opinion

from burnish.feedback.pushes import PushCheck, upper_tail
from burnish.feedback.rules import Context


def changes(user, **labels):
    """So many changes of a user to each label."""
    golds = [label for label, n in labels.items() for _ in range(n)]
    return [opinion(user, gold, "a", item=f"{user}{i}", number=i) for i, gold in enumerate(golds)]


OTHERS = [one for user in ("bob", "cat", "dan", "eve") for one in changes(user, b=5, c=5)]


def pushed(batch, rule=None, **context):
    found = (rule or PushCheck()).pushed(batch, Context(**context))
    return {(batch[number].user, batch[number].gold) for number in found}


def test_a_user_whose_changes_go_to_a_label_that_others_hardly_give_is_stopped_there_alone():
    batch = [*changes("ann", x=10, b=2), *OTHERS]
    assert pushed(batch) == {("ann", "x")}
    reason = PushCheck().pushed(batch, Context())[0]
    assert reason == "10 of its user's 12 corrections go to 'x', which others' hardly do."


def test_who_corrects_as_others_do_passes():
    assert pushed([*changes("ann", b=6, c=6), *OTHERS]) == set()
    assert pushed([*changes("ann", b=9, c=3), *OTHERS]) == set()  # P(X >= 9 | 12, 0.5) = 0.073


def test_many_who_push_together_do_not_make_it_usual():
    gang = [one for i in range(3) for one in changes(f"x{i}", x=100)]
    crowd = [one for i in range(12) for one in changes(f"u{i}", b=3, c=3)]
    assert pushed([*gang, *crowd]) == {(f"x{i}", "x") for i in range(3)}


def test_who_always_looked_after_one_label_may_go_on():
    batch = [*changes("ann", x=10), *OTHERS]
    earlier = changes("ann", x=30)
    assert pushed(batch) == {("ann", "x")}
    assert pushed(batch, earlier=earlier) == set()


def test_accepted_answers_are_no_changes():
    batch = [*(opinion("ann", "x", "x", item=f"i{i}", number=i) for i in range(20)), *OTHERS]
    assert pushed(batch) == set()


def test_a_reviewer_may_push():
    assert pushed([*changes("ann", x=10), *OTHERS], reviewers=frozenset({"ann"})) == set()


def test_a_few_changes_are_no_push_unless_the_setting_says_so():
    batch = [*changes("ann", x=7), *OTHERS]
    assert pushed(batch) == set()
    assert pushed(batch, PushCheck(least_changes=7)) == {("ann", "x")}


def test_without_others_nothing_is_to_be_expected():
    batch = [*changes("ann", x=40), *changes("bob", b=5), *changes("cat", c=5)]
    assert pushed(batch) == set()
    assert pushed(batch, PushCheck(least_others=2)) == {("ann", "x")}


def test_a_rarer_alarm_needs_a_clearer_push():
    batch = [*changes("ann", b=11, c=1), *OTHERS]  # P(X >= 11 | 12, 0.5) = 13 / 4096 = 0.0032
    assert pushed(batch) == set()
    assert pushed(batch, PushCheck(alarm=0.01)) == {("ann", "b")}


@pytest.mark.parametrize(("k", "n", "p"), [(0, 5, 0.1), (3, 5, 0.1), (5, 5, 0.5), (40, 1000, 0.03), (990, 1000, 0.98)])
def test_the_tail_is_that_of_the_binomial_distribution(k, n, p):
    assert upper_tail(k, n, p) == pytest.approx(float(binom.sf(k - 1, n, p)), rel=1e-9)


def test_the_tail_at_the_ends():
    assert (upper_tail(1, 5, 1.0), upper_tail(1, 5, 0.0)) == (1.0, 0.0)
