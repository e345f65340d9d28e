"""Every part of the shelf `splits`: deterministic, complete, and no cluster of duplicates torn."""

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible, Split

SHELF = Shelf("splits")
every_split = pytest.mark.parametrize("name", SHELF.names())


def built(name):
    needs_column = "column" in SHELF.get(name).model_fields
    part = SHELF.build({"name": name, "column": "when"} if needs_column else name)
    assert isinstance(part, Split)
    return part


def rows(n=400):
    rng = np.random.default_rng(3)
    clusters = np.arange(n)
    clusters[1::10] = clusters[::10]  # every tenth row stands twice
    times = np.arange(n) // 4  # four rows share a value, which never reaches over two clusters' copies
    return Divisible(clusters, rng.integers(0, 4, n).astype(np.int32), times.astype(object))


@every_split
def test_every_row_gets_a_side_and_shares_are_kept(name):
    sides = built(name).assign(rows(), 0.1, 0.2, 7)
    assert sides.dtype == np.int8
    counts = np.bincount(sides, minlength=3) / 400
    assert counts[[TRAIN, DEV, TEST]].tolist() == pytest.approx([0.7, 0.1, 0.2], abs=0.02)


@every_split
def test_no_cluster_is_torn(name):
    divisible = rows()
    sides = built(name).assign(divisible, 0.1, 0.2, 7)
    assert np.array_equal(sides, sides[divisible.clusters])  # a cluster's number is its first row


@every_split
def test_the_same_arguments_give_the_same_sides(name):
    assert np.array_equal(built(name).assign(rows(), 0.1, 0.2, 7), built(name).assign(rows(), 0.1, 0.2, 7))


@every_split
def test_a_side_without_a_share_stays_empty(name):
    sides = built(name).assign(rows(), 0.1, 0, 7)
    assert set(sides.tolist()) == {TRAIN, DEV}


@every_split
def test_a_part_is_what_its_recipe_says(name):
    part = built(name)
    assert SHELF.build(part.as_recipe()) == part
    assert part.column_name in (None, "when")
    assert SHELF.summary(name)
