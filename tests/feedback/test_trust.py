import pytest
from tests.feedback.crowd import NOW, opinion

from burnish.feedback.rules import Context
from burnish.feedback.trust import TrustRule, truths_of

DAY_S = 86_400


def checked(*golds, user="ann", at=NOW, answer="a"):
    """Opinions of one user on inputs of which it is known that "b" is right."""
    said = [opinion(user, gold, answer, item=f"{user}{i}", number=i, at=at) for i, gold in enumerate(golds)]
    return said, {one.item: "b" for one in said}


def trust_in(said, truths, rule=None, **more):
    return (rule or TrustRule()).of(said, Context(truths=truths, now=NOW, **more))


@pytest.mark.parametrize(
    ("golds", "expected"),
    [((), None), (("b",), 3 / 5), (("a",), 2 / 5), (("a", "a"), 2 / 6), (("b",) * 10, 12 / 14), (("b", "a"), 3 / 6)],
)
def test_trust_is_the_mean_of_what_was_checked_with_some_doubt(golds, expected):
    said, truths = checked(*golds)
    assert trust_in(said, truths).get("ann") == (None if expected is None else pytest.approx(expected))


def test_who_was_never_checked_has_half():
    assert trust_in([opinion("ann", "b")], {}) == {"ann": 0.5}


def test_saying_that_a_wrong_answer_is_wrong_is_right():
    said, truths = checked(None, answer="a")
    assert trust_in(said, truths)["ann"] == pytest.approx(3 / 5)
    said, truths = checked(None, answer="b")
    assert trust_in(said, truths)["ann"] == pytest.approx(2 / 5)


def test_a_stronger_prior_moves_more_slowly():
    said, truths = checked("a", "a")
    assert trust_in(said, truths, TrustRule(prior=10))["ann"] == pytest.approx(10 / 22)


def test_a_check_counts_half_after_its_half_life():
    said, truths = checked("b", at=NOW - 90 * DAY_S)
    assert trust_in(said, truths)["ann"] == pytest.approx(2.5 / 4.5)
    assert trust_in(said, truths, TrustRule(half_life_days=45))["ann"] == pytest.approx(2.25 / 4.25)


def test_who_agrees_with_a_reviewer_is_trusted_and_a_reviewer_is_trusted_fully():
    said = [opinion("boss", "b", item="x", number=0), opinion("ann", "b", item="x", number=1),
            opinion("bob", "c", item="x", number=2)]  # fmt: skip
    trust = trust_in(said, {}, reviewers=frozenset({"boss"}))
    assert trust == {"boss": 1.0, "ann": pytest.approx(3 / 5), "bob": pytest.approx(2 / 5)}


def test_reviewers_who_contradict_each_other_settle_nothing_and_a_gold_check_stands_above_them():
    said = [opinion("boss", "b", item="x", number=0), opinion("chief", "c", item="x", number=1),
            opinion("boss", "b", item="y", number=2), opinion("boss", None, item="z", number=3)]  # fmt: skip
    context = Context(reviewers=frozenset({"boss", "chief"}), truths={"y": "d"})
    assert truths_of(said, context) == {"y": "d"}


def test_what_was_accepted_earlier_counts_too():
    said, truths = checked("b", "b")
    assert TrustRule().of([], Context(truths=truths, earlier=said, now=NOW))["ann"] == pytest.approx(4 / 6)


def test_nothing_is_taken_from_a_user_below_the_least_trust():
    batch = [opinion("ann", "b", number=0), opinion("bob", "b", number=1)]
    trust = {"ann": 0.39, "bob": 0.41}
    assert TrustRule().distrusted(batch, trust) == {
        0: "its user was wrong too often where it can be told (trust 0.39, at least 0.4 is needed)."
    }
    assert TrustRule(least=0.3).distrusted(batch, trust) == {}
