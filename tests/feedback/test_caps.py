from tests.feedback.crowd import NOW, opinion

from burnish.feedback.caps import Caps
from burnish.feedback.rules import Context


def batch(**numbers):
    users = [user for user, n in numbers.items() for _ in range(n)]
    return [opinion(user, "b", item=f"i{i}", number=i, at=NOW - i) for i, user in enumerate(users)]


def taken(said, caps, **context):
    """How many of each user's are left."""
    surplus = caps.surplus(said, range(len(said)), Context(**context))
    left = [one.user for number, one in enumerate(said) if number not in surplus]
    return {user: left.count(user) for user in dict.fromkeys(one.user for one in said)}


def others(n=50, each=2):
    return {f"u{i}": each for i in range(n)}


def test_no_user_adds_more_than_his_share():
    said = batch(ann=300, **others())  # 400 in all
    assert taken(said, Caps())["ann"] == 40
    assert taken(said, Caps(share=0.2))["ann"] == 80
    assert all(n == 2 for user, n in taken(said, Caps()).items() if user != "ann")


def test_some_are_taken_from_everybody_however_small_the_batch():
    said = batch(ann=30, **others(each=1))  # a tenth of 80 is 8
    assert taken(said, Caps())["ann"] == 20
    assert taken(said, Caps(free=5))["ann"] == 8


def test_where_users_are_few_each_may_add_a_multiple_of_the_even_share():
    said = batch(ann=300, bob=50, cat=50, dan=0)  # of 400 the even share of three is 133
    assert taken(said, Caps(even=1.5)) == {"ann": 200, "bob": 50, "cat": 50}
    assert taken(said, Caps()) == {"ann": 266, "bob": 50, "cat": 50}


def test_a_single_user_may_teach_alone():
    assert taken(batch(ann=300), Caps()) == {"ann": 300}


def test_there_is_a_number_that_nobody_passes():
    assert taken(batch(ann=900), Caps()) == {"ann": 500}
    assert taken(batch(ann=900), Caps(count=600)) == {"ann": 600}


def test_the_first_are_taken_and_the_rest_waits():
    said = batch(ann=30, **others(each=1))  # the later in the list the earlier in time
    surplus = Caps(free=5).surplus(said, range(len(said)), Context())
    assert set(surplus) == set(range(22))
    assert surplus[0] == "its user sent more than the 8 that one user may add to this batch."


def test_only_what_passed_counts_and_reviewers_are_not_capped():
    said = batch(ann=30, **others(each=1))
    assert Caps(free=5).surplus(said, range(20, 80), Context()) == {
        number: "its user sent more than the 6 that one user may add to this batch." for number in range(20, 24)
    }
    assert taken(said, Caps(free=5), reviewers=frozenset({"ann"}))["ann"] == 30
