"""Grouped: neither a group nor a cluster of duplicates is ever torn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible
from burnish.data.splits.grouped import Grouped


def assigned(groups, clusters=None, dev=0.2, test=0.2, seed=7):
    column = np.empty(len(groups), dtype=object)
    column[:] = groups
    ids = np.arange(len(groups)) if clusters is None else np.array(clusters)
    return Grouped(column="author").assign(Divisible(ids, np.zeros(len(ids), np.int32), column), dev, test, seed)


def is_torn(sides, ids):
    return any(len({side for side, one in zip(sides, ids, strict=True) if one == number}) > 1 for number in set(ids))


@given(st.data(), st.integers(0, 99))
def test_no_group_and_no_cluster_is_torn(data, seed):
    groups = data.draw(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=20, max_size=60))
    clusters = list(range(len(groups)))
    for a, b in data.draw(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=3)):
        clusters[b] = clusters[a]
    try:
        sides = assigned(groups, clusters, seed=seed).tolist()
    except UserError:  # all groups tied into fewer than three
        return
    assert not is_torn(sides, groups)
    assert not is_torn(sides, clusters)
    assert {TRAIN, DEV, TEST} == set(sides)


def test_shares_are_kept_as_well_as_groups_allow():
    groups = [f"author {number % 200}" for number in range(2000)]
    shares = np.bincount(assigned(groups, dev=0.1, test=0.2)) / 2000
    assert shares.tolist() == pytest.approx([0.7, 0.1, 0.2], abs=0.005)  # half a group of 10 rows is 0.0025


def test_few_large_groups_still_fill_every_side():
    assert set(assigned(["a"] * 50 + ["b"] * 30 + ["c"] * 20, dev=0.1, test=0.1).tolist()) == {TRAIN, DEV, TEST}


def test_the_seed_decides():
    groups = [f"author {number % 50}" for number in range(500)]
    assert np.array_equal(assigned(groups, seed=1), assigned(groups, seed=1))
    assert not np.array_equal(assigned(groups, seed=1), assigned(groups, seed=2))


def test_numbers_name_groups_too():
    assert not is_torn(assigned([1, 1, 2, 2, 3, 3]).tolist(), [1, 1, 2, 2, 3, 3])


def test_one_group_only_is_refused():
    with pytest.raises(UserError) as caught:
        assigned(["a", "a", "a"])
    assert str(caught.value) == (
        "data.split: the column 'author' has one value only, so its rows cannot be on two sides; "
        "name another column, or set data.split: random."
    )


def test_too_few_groups_are_refused():
    with pytest.raises(UserError, match="3 rows with 2 values of 'author' cannot be split into train and dev and test"):
        assigned(["a", "a", "b"])


def test_groups_tied_by_duplicates_are_explained():
    with pytest.raises(UserError, match=r"with 1 independent groups \(the 2 values of 'author' share duplicate texts"):
        assigned(["a", "a", "b", "b"], clusters=[0, 1, 0, 3])


@pytest.mark.parametrize("missing", [None, "", float("nan")])
def test_rows_without_a_group_are_refused(missing):
    with pytest.raises(UserError) as caught:
        assigned(["a", "b", missing])
    assert str(caught.value) == (
        "data.split: 1 rows have no value in the column 'author' that groups them (the first is row 3); "
        "give each row a value."
    )


def test_a_missing_column_is_named():
    with pytest.raises(
        UserError, match=r"^data\.split: grouped needs the column 'author', which the data does not have\.$"
    ):
        Grouped(column="author").assign(Divisible(np.arange(2), np.zeros(2, np.int32), None), 0.5, 0, 7)
