"""The order of batches: every row once, under the budget, a pure function of seed and epoch."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from burnish.data import order as order_module
from burnish.data.order import batches_of, fill, sorted_batches

lengths_lists = st.lists(st.integers(0, 90), min_size=0, max_size=200).map(lambda items: np.array(items, np.int32))


def all_batches(batches):
    return [batches[position].tolist() for position in range(len(batches))]


@settings(max_examples=150, deadline=None)
@given(lengths_lists, st.integers(16, 128), st.integers(0, 5), st.integers(0, 5), st.sampled_from([1, 8]))
def test_every_row_stands_in_one_batch_under_the_budget(lengths, budget, seed, epoch, multiple):
    for batches in (batches_of(lengths, budget, seed, epoch, multiple), sorted_batches(lengths, budget, multiple)):
        rows = [row for batch in all_batches(batches) for row in batch]
        assert sorted(rows) == list(range(len(lengths)))
        for batch in all_batches(batches):
            longest = -(-max(1, lengths[batch].max()) // multiple) * multiple
            assert len(batch) == 1 or len(batch) * longest <= budget


@settings(max_examples=30, deadline=None)
@given(lengths_lists, st.integers(0, 9), st.integers(0, 9))
def test_seed_and_epoch_decide_everything(lengths, seed, epoch):
    assert all_batches(batches_of(lengths, 64, seed, epoch)) == all_batches(batches_of(lengths, 64, seed, epoch))


def test_epochs_and_seeds_differ():
    lengths = np.random.default_rng(0).integers(3, 30, 500)
    first = all_batches(batches_of(lengths, 256, 7, 0))
    for other in (batches_of(lengths, 256, 7, 1), batches_of(lengths, 256, 8, 0)):
        assert all_batches(other) != first
        assert {tuple(sorted(batch)) for batch in all_batches(other)} != {tuple(sorted(batch)) for batch in first}


def test_rows_meet_others_in_each_epoch_even_where_all_lengths_differ():
    lengths = np.arange(10, 400)
    first = {tuple(sorted(batch)) for batch in all_batches(batches_of(lengths, 2000, 7, 0))}
    second = {tuple(sorted(batch)) for batch in all_batches(batches_of(lengths, 2000, 7, 1))}
    assert len(first & second) < len(first) / 2


def test_batches_of_short_and_long_rows_are_mixed():
    lengths = np.arange(1, 1001)
    means = np.array([lengths[batch].mean() for batch in all_batches(batches_of(lengths, 4000, 7, 0))])
    assert abs(np.corrcoef(means, np.arange(len(means)))[0, 1]) < 0.3


MIXTURES = {
    "short intents": lambda rng: np.clip(rng.normal(12, 4, 15_000), 3, 40),
    "reviews, a long tail": lambda rng: np.clip(rng.lognormal(4, 1, 60_000), 3, 512),
    "titles and documents": lambda rng: np.concatenate([rng.integers(8, 25, 40_000), rng.integers(300, 513, 4000)]),
    "few rows": lambda rng: rng.integers(5, 60, 300),
    "almost all cut at the limit": lambda rng: np.clip(rng.normal(600, 100, 5000), 3, 512),
}


@pytest.mark.parametrize("name", MIXTURES)
def test_at_least_ninety_percent_of_the_computed_tokens_are_real(name):
    lengths = MIXTURES[name](np.random.default_rng(1)).astype(np.int32)
    assert fill(lengths, batches_of(lengths, 1024, 7, 3)) >= 0.9


def test_megabatches_grow_until_they_pad_little(monkeypatch):
    monkeypatch.setattr(order_module, "ROWS_SORTED_AT_ONCE", 50)
    monkeypatch.setattr(order_module, "BATCHES_PER_MEGABATCH", 2)
    lengths = np.random.default_rng(1).lognormal(4, 1, 4000).astype(np.int32).clip(3, 512)
    assert fill(lengths, batches_of(lengths, 1024, 7, 0)) >= 0.9


def test_fill_is_real_tokens_over_rows_times_longest():
    # Longest first under a budget of 8: [5] alone, then [4, 3] (2 × 4 = 8), then [1]. Computed 5 + 8 + 1 = 14.
    lengths = np.array([3, 5, 1, 4])
    batches = sorted_batches(lengths, 8)
    assert all_batches(batches) == [[1], [3, 0], [2]]
    assert fill(lengths, batches) == pytest.approx(13 / 14)


def test_fill_counts_what_a_device_rounds_up():
    # 8 each in multiples of 8: 3 rows × 8 = 24 computed, 9 real.
    lengths = np.array([3, 3, 3])
    assert fill(lengths, sorted_batches(lengths, 24, multiple=8), multiple=8) == pytest.approx(9 / 24)


def test_prediction_takes_the_longest_rows_first():
    lengths = np.array([2, 9, 4, 9, 1])
    order = [row for batch in all_batches(sorted_batches(lengths, 18)) for row in batch]
    assert order == [1, 3, 2, 0, 4]


def test_lengths_over_sixteen_bits_are_sorted_too():
    lengths = np.array([5, 200_000, 70_000, 6])
    assert [row for batch in all_batches(sorted_batches(lengths, 10)) for row in batch] == [1, 2, 3, 0]


def test_no_rows_make_no_batches():
    batches = batches_of(np.array([], np.int32), 64, 7, 0)
    assert len(batches) == 0
    assert fill(np.array([], np.int32), batches) == 1.0


def test_a_batch_beyond_the_epoch_is_refused():
    batches = batches_of(np.array([3, 4]), 64, 7, 0)
    with pytest.raises(IndexError, match=f"there is no batch {len(batches)}; the epoch has {len(batches)}"):
        batches[len(batches)]


@settings(max_examples=40, deadline=None)
@given(lengths_lists, st.integers(0, 5), st.integers(0, 5))
def test_a_batch_holds_rows_of_one_kind(lengths, seed, epoch):
    kinds = np.random.default_rng(seed).integers(3, size=len(lengths))
    for batches in (batches_of(lengths, 64, seed, epoch, kinds=kinds), sorted_batches(lengths, 64, kinds=kinds)):
        assert sorted(row for batch in all_batches(batches) for row in batch) == list(range(len(lengths)))
        assert all(len(set(kinds[batch].tolist())) == 1 for batch in all_batches(batches))
    again = batches_of(lengths, 64, seed, epoch, kinds=kinds)
    assert all_batches(again) == all_batches(batches_of(lengths, 64, seed, epoch, kinds=kinds))


def test_kinds_are_mixed_in_an_epoch_and_cost_little_padding():
    draw = np.random.default_rng(1)
    lengths, kinds = draw.integers(3, 60, 4000), np.repeat([1, 2], [3000, 1000])
    batches = batches_of(lengths, 512, 7, 0, kinds=kinds)
    of_batches = [int(kinds[batch[0]]) for batch in all_batches(batches)]
    assert set(of_batches[: len(of_batches) // 4]) == {1, 2}
    assert fill(lengths, batches) >= 0.9


def test_one_kind_is_no_kind():
    lengths = np.arange(3, 90)
    plain, same = batches_of(lengths, 256, 7, 0), batches_of(lengths, 256, 7, 0, kinds=np.full(87, 4))
    assert all_batches(plain) == all_batches(same)


def test_the_fill_counts_the_rows_that_the_batches_hold():
    batches = batches_of(np.array([4, 4]), 8, 7, 0)
    assert fill(np.array([4, 4, 100]), batches) == 1.0
