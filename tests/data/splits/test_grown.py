"""Rows that came later: the split of those before them is what it was."""

from dataclasses import replace

import numpy as np
import pytest

from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible

TIMES = [f"2024-01-{day:02d}" for day in range(1, 31)]
WAYS = [
    {"name": "stratified"},
    {"name": "random"},
    {"name": "grouped", "column": "author"},
    {"name": "time", "column": "at"},
]


def rows(n, n_labels=3):
    """Alternating labels, every fifth row the copy of the one before it, and a column of 30 values in their order."""
    clusters = np.arange(n)
    clusters[4::5] = clusters[3::5]
    return Divisible(
        clusters, np.arange(n, dtype=np.int32) % n_labels, np.array([TIMES[k * 30 // n] for k in range(n)])
    )


def grown(before, n_new, further=()):
    """A data set of 60 rows with others behind it, whose clusters are given, and its split."""
    old = rows(60)
    labels = np.full(n_new, 3, np.int32)  # a label that no row before them has
    column = np.concatenate([old.column, np.full(n_new, "correction")])
    ids = np.asarray(further or range(100, 100 + n_new))
    whole = Divisible(np.concatenate([old.clusters, ids]), np.concatenate([old.strata, labels]), column)
    return Shelf("splits").build({"name": "grown", "n_new": n_new, "before": before}), old, whole


@pytest.mark.parametrize("before", WAYS, ids=lambda way: way["name"])
def test_what_was_dev_stays_dev_and_what_came_later_is_trained_on(before):
    split, old, whole = grown(before, 25)
    sides = split.assign(whole, 0.2, 0.1, 7)
    assert np.array_equal(sides[:60], Shelf("splits").build(before).assign(old, 0.2, 0.1, 7))
    assert set(sides[:60].tolist()) == {TRAIN, DEV, TEST}
    assert set(sides[60:].tolist()) == {TRAIN}


def test_a_later_row_is_on_the_side_of_the_earlier_one_that_it_repeats():
    split, old, whole = grown({"name": "stratified"}, 3, further=[0, 1, 2])
    before = Shelf("splits").build("stratified").assign(old, 0.4, 0.2, 3)
    assert np.array_equal(split.assign(whole, 0.4, 0.2, 3)[60:], before[:3])


def test_two_later_rows_that_repeat_each_other_stay_together():
    split, _, whole = grown({"name": "stratified"}, 2, further=[100, 100])
    assert split.assign(whole, 0.2, 0, 7)[60:].tolist() == [TRAIN, TRAIN]


@pytest.mark.parametrize("before", WAYS, ids=lambda way: way["name"])
def test_a_later_row_between_two_earlier_ones_moves_neither(before):
    """It makes their clusters one, so that there are fewer to deal; they were dealt before it came."""
    split, old, whole = grown(before, 2, further=[0, 30])
    bridged = np.where(whole.clusters == 30, 0, whole.clusters)
    sides = split.assign(replace(whole, clusters=bridged, earlier=old.clusters), 0.2, 0.1, 7)
    assert np.array_equal(sides[:60], Shelf("splits").build(before).assign(old, 0.2, 0.1, 7))


def test_a_later_row_between_rows_of_several_sides_is_trained_on():
    split, old, whole = grown({"name": "stratified"}, 1, further=[0])
    before = Shelf("splits").build("stratified").assign(old, 0.4, 0.2, 3)
    train, dev = (int(np.flatnonzero(before == side)[0]) for side in (TRAIN, DEV))
    for ends, side in (((train, dev), TRAIN), ((dev, dev), DEV)):
        joint = np.where(np.isin(old.clusters, old.clusters[list(ends)]), 500, old.clusters)
        clusters = np.concatenate([joint, [500]])
        assert split.assign(replace(whole, clusters=clusters, earlier=old.clusters), 0.4, 0.2, 3)[60] == side


def test_without_later_rows_it_is_the_split_before():
    split, old, _ = grown({"name": "random"}, 0)
    assert np.array_equal(split.assign(old, 0.2, 0, 7), Shelf("splits").build("random").assign(old, 0.2, 0, 7))


def test_the_column_is_that_of_the_split_before():
    assert Shelf("splits").build({"name": "grown", "before": {"name": "time", "column": "at"}}).column_name == "at"
    assert Shelf("splits").build("grown").column_name is None


def test_not_all_rows_can_have_come_later():
    split = Shelf("splits").build({"name": "grown", "n_new": 30})
    with pytest.raises(UserError, match=r"data\.split: of 30 rows 30 cannot have come later; set n_new to less"):
        split.assign(rows(30), 0.2, 0, 7)
