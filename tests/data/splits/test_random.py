"""Random: shares and whole clusters."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from burnish.core.errors import UserError
from burnish.data.splits._contract import DEV, TEST, TRAIN, Divisible
from burnish.data.splits.random import Random

shares = st.sampled_from([(0.1, 0.0), (0.2, 0.1), (0.0, 0.3), (0.4, 0.4), (0.1, 0.8)])


def assigned(clusters, dev=0.1, test=0.1, seed=7):
    ids = np.array(clusters, np.int64)
    return Random().assign(Divisible(ids, np.zeros(len(ids), np.int32), None), dev, test, seed)


@given(st.lists(st.integers(0, 30), min_size=40, max_size=120), shares, st.integers(0, 99))
def test_no_cluster_is_torn_and_every_wanted_side_has_rows(clusters, wanted, seed):
    assume(len(set(clusters)) >= 3)
    sides = assigned(clusters, *wanted, seed=seed)
    for number in set(clusters):
        assert len(set(sides[np.array(clusters) == number].tolist())) == 1
    sides_wanted = {TRAIN, *([DEV] if wanted[0] else []), *([TEST] if wanted[1] else [])}
    assert set(sides.tolist()) == sides_wanted


@given(st.integers(100, 400), shares)
def test_shares_are_exact_when_no_text_repeats(n, wanted):
    counts = np.bincount(assigned(range(n), *wanted), minlength=3)
    assert counts[DEV] == round(n * wanted[0])
    assert counts[TEST] == round(n * wanted[1])


def test_large_clusters_do_not_spoil_the_shares():
    clusters = [0] * 500 + list(range(1, 501))
    assert np.bincount(assigned(clusters)).tolist() == [800, 100, 100]


def test_the_seed_decides():
    assert np.array_equal(assigned(range(100), seed=1), assigned(range(100), seed=1))
    assert not np.array_equal(assigned(range(100), seed=1), assigned(range(100), seed=2))


def test_a_tiny_share_still_gets_a_row():
    assert np.bincount(assigned(range(4), dev=0.1, test=0)).tolist() == [3, 1]


def test_too_few_rows_are_refused():
    with pytest.raises(UserError) as caught:
        assigned([0, 0, 0, 3])
    assert str(caught.value) == (
        "data: 4 rows with 2 different texts cannot be split into train and dev and test, which need at least one "
        "each; give more rows, or files of their own for dev and test."
    )


def test_shares_that_leave_no_training_rows_are_refused():
    with pytest.raises(UserError) as caught:
        assigned(range(10), 0.5, 0.5)
    assert str(caught.value) == (
        "data: dev (50%) and test (50%) together leave no rows to train on; make them smaller."
    )
