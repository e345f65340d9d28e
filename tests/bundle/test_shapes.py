"""Shapes: few of them, little padding, and what is added changes nothing of what was there."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from burnish.bundle.shapes import TOKENS_PER_CALL, Longest, filled, grouped, rounded_lengths, rounded_rows


def test_lengths_go_up_to_the_next_step():
    lengths = np.array([1, 2, 3, 16, 17, 32, 33, 64, 65, 128, 129, 256, 257, 512, 513], np.int32)
    assert rounded_lengths(lengths).tolist() == [2, 2, 4, 16, 20, 32, 40, 64, 80, 128, 160, 256, 320, 512, 576]


def test_lengths_to_512_become_28_and_no_text_grows_by_more_than_a_quarter():
    """By hand: 16 / 2 = 8 lengths to 16, then four to each power of two: 8 + 4 · 5 = 28."""
    lengths = np.arange(1, 513, dtype=np.int32)
    rounded = rounded_lengths(lengths)
    assert len(set(rounded.tolist())) == 28
    assert (rounded >= lengths).all()
    assert ((rounded - lengths)[lengths > 16] < lengths[lengths > 16] / 4).all()
    assert rounded_lengths(rounded).tolist() == rounded.tolist()
    assert rounded.dtype == np.int32
    assert rounded_lengths(lengths[:0]).tolist() == []


@pytest.mark.parametrize(
    ("n_rows", "most", "computed"),
    [
        (1, 25, 1), (2, 25, 4), (4, 25, 4), (5, 25, 16), (17, 25, 25), (25, 25, 25),
        (1, 1, 1), (256, 256, 256), (65, 256, 256), (3, 3, 3), (2, 3, 3),
        (26, 25, 50), (84, 51, 102), (3, 1, 3),
    ],
)  # fmt: skip
def test_rows_are_a_power_of_four_or_a_multiple_of_the_most(n_rows, most, computed):
    assert rounded_rows(n_rows, most) == computed


def features(lengths, kinds=None):
    return [
        {"input_ids": np.ones(length, np.int32)} | ({} if kinds is None else {"kind": np.array([kinds[number]])})
        for number, length in enumerate(lengths)
    ]


def lengths_of(groups, lengths):
    return [[lengths[i] for i in group] for group in groups]


def test_features_share_a_batch_where_a_batch_more_would_cost_more_than_padding():
    """By hand, with 24 tokens a batch: 16 rows of 8 in one cost 152. Of 5 texts of 8, one alone and four cost 8 + 32 +
    48 = 88, all in 16 rows 128 + 24 = 152. Two of 16 and two of 14 in 4 rows cost 64 + 24, apart 4 · 16 + 4 · 14 + 48.
    """
    assert TOKENS_PER_CALL == 24
    assert [len(group) for group in grouped(features([8] * 16), 512)] == [16]
    assert sorted(len(group) for group in grouped(features([8] * 5), 512)) == [1, 4]
    lengths = [14, 16, 14, 16]
    assert lengths_of(grouped(features(lengths), 512), lengths) == [[16, 16, 14, 14]]


def test_a_long_text_is_computed_alone_and_first():
    """4 rows of 64 cost 256 + 24; one of 64 and one of 4, twice more one of 4: 64 + 24 and 4 · 4 + 24 for all three."""
    lengths = [4, 64, 4, 4]
    assert lengths_of(grouped(features(lengths), 512), lengths) == [[64], [4, 4, 4]]


@pytest.mark.parametrize("seed", range(20))
def test_no_other_way_to_cut_costs_less(seed):
    """Against all 2^(n-1) ways to cut the sorted lengths."""
    draw = np.random.default_rng(seed)
    lengths = np.sort(rounded_lengths(draw.integers(1, 40, 9).astype(np.int32)))[::-1].tolist()
    most_tokens = int(draw.choice([40, 80, 512]))

    def cost(cuts):
        own = [lengths[a:b] for a, b in pairwise([0, *cuts, len(lengths)])]
        if any(len(one) > max(1, most_tokens // one[0]) for one in own):
            return np.inf
        rows = [rounded_rows(len(one), max(1, most_tokens // one[0])) for one in own]
        return sum(n * one[0] + TOKENS_PER_CALL for n, one in zip(rows, own, strict=True))

    ways = [cuts for n in range(9) for cuts in combinations(range(1, 9), n)]
    found = [len(group) for group in grouped(features(lengths), most_tokens)]
    assert cost(np.cumsum(found)[:-1].tolist()) == min(map(cost, ways))


def test_every_feature_is_in_one_batch_with_its_kind_within_the_budget():
    draw = np.random.default_rng(0)
    lengths, kinds = draw.integers(1, 70, 300).tolist(), draw.integers(0, 3, 300).tolist()
    groups = grouped(features(lengths, kinds), 512)
    assert sorted(np.concatenate(groups).tolist()) == list(range(300))
    for group in groups:
        assert len({kinds[i] for i in group}) == 1
        assert len(group) * max(lengths[i] for i in group) <= 512 or len(group) == 1
    assert grouped([], 512) == []


def test_a_text_alone_takes_steps_of_eight_so_that_serving_meets_few_shapes():
    shapes = {
        filled(batch(1, length), {"input_ids"}, 0, Longest(64, 512))["input_ids"].shape for length in range(1, 65)
    }
    assert shapes == {(1, length) for length in (8, 16, 24, 32, 40, 48, 56, 64)}


def batch(n_rows, length):
    ids = np.arange(1, n_rows * length + 1).reshape(n_rows, length)
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.ones_like(ids),
        "starts": np.arange(2 * n_rows).reshape(n_rows, 2),
    }


def test_a_batch_is_filled_with_padding_and_with_its_first_row():
    inputs = batch(5, 3)  # 5 rows → 16, 3 tokens → 4
    found = filled(inputs, {"input_ids", "attention_mask", "token_type_ids"}, 99, Longest(64, 512))
    assert {name: one.shape for name, one in found.items()} == {
        "input_ids": (16, 4),
        "attention_mask": (16, 4),
        "token_type_ids": (16, 4),
        "starts": (16, 2),
    }
    assert found["input_ids"][:5].tolist() == [[*row, 99] for row in inputs["input_ids"].tolist()]
    assert found["attention_mask"][:5].tolist() == [[1, 1, 1, 0]] * 5
    assert found["input_ids"][5:].tolist() == [[1, 2, 3, 99]] * 11
    assert found["starts"][:5].tolist() == inputs["starts"].tolist()
    assert found["starts"][5:].tolist() == [[0, 1]] * 11
    assert all(one.dtype == inputs[name].dtype for name, one in found.items())


def test_a_batch_that_has_a_shape_stays_as_it_is():
    inputs = batch(4, 16)
    found = filled(inputs, set(inputs) - {"starts"}, 0, Longest(64, 512))
    assert all(found[name].tolist() == inputs[name].tolist() for name in inputs)


@pytest.mark.parametrize(("length", "longest", "computed"), [(49, 50, 50), (50, 50, 50), (33, 50, 40), (60, 50, 60)])
def test_a_text_never_grows_beyond_what_the_model_reads(length, longest, computed):
    inputs = {"input_ids": np.ones((1, length), np.int64)}
    assert filled(inputs, {"input_ids"}, 0, Longest(longest, 512))["input_ids"].shape == (1, computed)


def test_the_number_of_rows_keeps_to_the_budget_of_tokens():
    inputs = {"input_ids": np.ones((20, 16), np.int64)}
    assert filled(inputs, {"input_ids"}, 0, Longest(64, 512))["input_ids"].shape == (32, 16)  # not 64 × 16 = 1,024
