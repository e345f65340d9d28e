"""Stratified: each class keeps its share on each side."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible
from burnish.data.splits.stratified import Stratified


def assigned(strata, clusters=None, dev=0.1, test=0.1, seed=7):
    ids = np.arange(len(strata)) if clusters is None else np.array(clusters, np.int64)
    return Stratified().assign(Divisible(ids, np.array(strata, np.int32), None), dev, test, seed)


@given(st.lists(st.integers(0, 5), min_size=50, max_size=200), st.sampled_from([0.1, 0.25]), st.integers(0, 99))
def test_each_class_keeps_its_share_within_one_row(strata, share, seed):
    sides = assigned(strata, dev=share, test=share, seed=seed)
    for label in set(strata):
        mine = sides[np.array(strata) == label]
        if len(mine) == 1:
            continue
        for side in (DEV, TEST):
            assert abs(np.count_nonzero(mine == side) - share * len(mine)) <= 1.5


@given(
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 4)), min_size=50, max_size=150),
    st.sampled_from([(0.1, 0.1), (0.4, 0.4), (0.8, 0)]),
)
def test_no_cluster_is_torn_and_every_class_of_two_texts_is_in_train(rows, wanted):
    clusters, strata = (np.array(column) for column in zip(*rows, strict=True))
    assume(len(set(clusters.tolist())) >= 10)  # of 5 labels one then has two texts
    sides = assigned(strata, clusters, *wanted)
    first = {}
    for at, cluster in enumerate(clusters.tolist()):
        first.setdefault(cluster, at)
        assert sides[at] == sides[first[cluster]]
    owners = np.array([strata[at] for at in first.values()])  # the first of the copies decides the class
    side_of = np.array([sides[at] for at in first.values()])
    for label in set(owners.tolist()):
        assert TRAIN in side_of[owners == label]


def test_many_small_classes_give_the_whole_share_together():
    # 150 classes of 5 rows: 10 % of each is half a row, 10 % of all is 75.
    counts = np.bincount(assigned([row % 150 for row in range(750)], test=0))
    assert counts.tolist() == [675, 75]


def test_a_label_in_one_row_is_trained_on():
    sides = assigned([0] * 50 + [1], dev=0.4, test=0.4)
    assert sides[50] == TRAIN


def test_the_seed_decides():
    strata = [row % 5 for row in range(200)]
    assert np.array_equal(assigned(strata, seed=1), assigned(strata, seed=1))
    assert not np.array_equal(assigned(strata, seed=1), assigned(strata, seed=2))


def test_labels_of_one_text_each_cannot_be_stratified():
    with pytest.raises(UserError) as caught:
        assigned(range(20))
    assert str(caught.value) == (
        "data: too few labels have different texts enough to be both in train and on the other sides; "
        "give more rows of each label, or set data.split: random."
    )


def test_filling_two_empty_sides_leaves_every_class_on_train():
    # Two classes of two texts with 10 copies each: rounding gives dev and test nothing, then each class gives one text.
    sides = assigned([0] * 20 + [1] * 20, clusters=[at - at % 10 for at in range(40)], dev=0.05, test=0.05)
    assert np.bincount(sides).tolist() == [20, 10, 10]
    assert TRAIN in sides[:20]
    assert TRAIN in sides[20:]


def test_a_wanted_side_is_filled_even_from_large_clusters():
    sides = assigned([0] * 20, clusters=[0] * 10 + [10] * 10, test=0)
    assert set(sides.tolist()) == {TRAIN, DEV}
