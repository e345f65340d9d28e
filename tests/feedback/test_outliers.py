import pytest
from tests.feedback.crowd import opinion

from burnish.feedback.outliers import OutlierVote
from burnish.feedback.rules import Context

EAST, NORTH = [1.0, 0.0], [0.0, 1.0]
NOBODY = frozenset()


def around(gold, users, start=10, vector=EAST, answer="a"):
    """What so many users say of inputs near by."""
    return [
        opinion(user, gold, answer, item=f"{user}-{i}", number=start + i, vector=vector) for i, user in enumerate(users)
    ]


def users(n):
    return [f"u{i}" for i in range(n)]


def lost(batch, vote=None, trust=None, spared=NOBODY, **context):
    trust = {one.user: 0.5 for one in batch} | (trust or {})
    return (vote or OutlierVote()).losers(batch, trust, spared, Context(**context))


ALONE = opinion("ann", "b", "a", item="x", number=0, confidence=0.93, vector=EAST)


def test_a_correction_of_a_confident_answer_that_nobody_backs_is_held_back():
    batch = [ALONE, *around("a", users(4))]
    assert lost(batch) == {
        0: "the model is 93% sure of its answer, and of 4 others who spoke of such inputs none back this."
    }


def test_it_passes_where_enough_others_see_it_so_too():
    batch = [ALONE, *around("a", users(4)), *around("b", ["v1", "v2", "v3"], 20)]
    assert 0 not in lost(batch)


def test_some_backing_is_told_but_not_enough():
    batch = [ALONE, *around("a", users(8)), *around("b", ["v"], 20)]
    vote = OutlierVote(rounds=0)
    assert lost(batch, vote)[0].endswith("of 9 others who spoke of such inputs few (11% of their weight) back this.")


def test_a_mere_no_or_a_confirmation_is_not_voted_on():
    no = opinion("ann", None, "a", item="x", number=0, confidence=0.93, vector=EAST)
    yes = opinion("ann", "a", "a", item="y", number=1, confidence=0.93, vector=EAST)
    batch = [no, yes, *around("b", users(6))]
    assert not set(lost(batch, OutlierVote(confident=0.92))) & {0, 1}


def test_an_answer_without_confidence_is_not_voted_on():
    batch = [opinion("ann", "b", "a", item="x", number=0, confidence=None, vector=EAST), *around("a", users(4))]
    assert lost(batch) == {}


def test_without_any_correction_nothing_is_counted():
    assert OutlierVote().votes(around("a", users(4)), {}, Context()) == {}


def test_from_which_confidence_there_is_a_vote_is_a_setting():
    batch = [ALONE, *around("a", users(4))]
    assert lost(batch, OutlierVote(confident=0.95)) == {}


def test_how_near_is_a_setting():
    batch = [ALONE, *around("a", users(4), vector=[1.0, 0.6])]  # cosine 0.857
    assert set(lost(batch)) == {0}
    assert lost(batch, OutlierVote(nearness=0.9)) == {}


def test_how_many_witnesses_make_a_vote_is_a_setting():
    batch = [ALONE, *around("a", users(2))]
    assert lost(batch) == {}
    assert set(lost(batch, OutlierVote(least_witnesses=2))) == {0}


def test_how_much_backing_is_enough_is_a_setting():
    batch = [ALONE, *around("a", users(4)), *around("b", ["v1", "v2", "v3"], 20)]  # 3 of 7
    assert 0 in lost(batch, OutlierVote(rounds=0, least_support=0.5))
    assert 0 not in lost(batch, OutlierVote(rounds=0, least_support=0.4))


def test_in_rounds_those_lose_their_voice_whom_most_contradict():
    # 5 say a and 3 say b of the place; elsewhere the three are contradicted by all
    batch = [ALONE, *around("a", users(5)), *around("b", ["x1", "x2", "x3"], 20)]
    elsewhere = [*around("c", users(5), 30, NORTH, "c"), *around("d", ["x1", "x2", "x3"], 40, NORTH, "c")]
    before = OutlierVote(rounds=0).votes(
        [*batch, *elsewhere], dict.fromkeys(["ann", *users(5), "x1", "x2", "x3"], 0.5), Context()
    )
    after = OutlierVote().votes(
        [*batch, *elsewhere], dict.fromkeys(["ann", *users(5), "x1", "x2", "x3"], 0.5), Context()
    )
    assert before[0].support == pytest.approx(3 / 8)
    assert after[0].support < 0.25


def test_a_user_who_loses_most_votes_is_stopped_as_a_whole():
    wrong = around("b", ["ann"] * 6)
    unsure = [opinion("ann", "b", "a", item="unsure", number=50, confidence=0.3, vector=NORTH)]
    batch = [*wrong, *around("a", users(4), 30), *unsure]
    found = lost(batch)
    assert set(found) == {*range(6), 10}
    assert found[10] == "of 6 corrections by its user that others can judge 6 are backed by hardly anybody."
    assert 10 not in lost(batch, OutlierVote(least_changes=7))


def test_from_which_share_of_lost_votes_on_is_a_setting():
    right = around("b", ["ann"] * 3, 60, NORTH)
    backed = around("b", users(4), 70, NORTH)
    unsure = [opinion("ann", "b", "a", item="unsure", number=50, confidence=0.3, vector=NORTH)]
    batch = [*unsure, *around("b", ["ann"] * 3), *around("a", users(4), 30), *right, *backed]  # 3 of 6 are lost
    assert 0 not in lost(batch)
    assert 0 in lost(batch, OutlierVote(most_outliers=0.4))


def test_who_has_earned_trust_may_be_alone_but_not_in_most_of_what_he_says():
    assert lost([ALONE, *around("a", users(4))], spared=frozenset({"ann"})) == {}
    batch = [*around("b", ["ann"] * 6), *around("a", users(4), 30)]
    assert set(lost(batch, spared=frozenset({"ann"}))) == set(range(6))


def test_a_reviewer_is_never_held_back():
    batch = [*around("b", ["ann"] * 6), *around("a", users(4), 30)]
    assert lost(batch, reviewers=frozenset({"ann"})) == {}


def test_who_is_not_trusted_is_no_witness():
    batch = [ALONE, *around("a", users(4))]
    assert lost(batch, trust=dict.fromkeys(users(2), 0.0)) == {}


def test_who_says_of_wrong_answers_only_that_they_are_wrong_keeps_his_vote():
    """Six times four users correct a to b, and eve and fay say that a is wrong: all back each other. Of z eve says so
    again, gil gives b, hal and ivy take a for right: each is backed by one of the three others. After one round eve
    weighs ((1 + 6 + 1/3) / (2 + 7))² = 484/729, hal and ivy ((1 + 1/3) / (2 + 1))² = 144/729. Of the weight of the
    three that judge gil 484 / (484 + 2 * 144) = 121/193 back him.
    """
    batch = [
        opinion(user, gold, "a", item=f"x{number}", number=10 * number + place)
        for number in range(6)
        for place, (user, gold) in enumerate([*((f"u{n}", "b") for n in range(4)), ("eve", None), ("fay", None)])
    ]
    batch += [
        opinion(user, gold, "a", item="z", number=100 + place)
        for place, (user, gold) in enumerate([("gil", "b"), ("eve", None), ("hal", "a"), ("ivy", "a")])
    ]
    everybody = {one.user: 1.0 for one in batch}
    vote = OutlierVote(rounds=1).votes(batch, everybody, Context())[36]
    assert vote == (pytest.approx(121 / 193), 3)
