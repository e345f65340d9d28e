"""Shapes: few of them, little padding, and what is added changes nothing of what was there."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from burnish.bundle.shapes import TOKENS_PER_CALL, Longest, Shape, filled, grouped, length_alone, shape_of, shapes_for


def test_a_text_alone_takes_the_next_of_few_lengths():
    lengths = [1, 8, 9, 64, 65, 128, 129, 256, 257, 512, 513]
    assert [length_alone(length) for length in lengths] == [8, 8, 16, 64, 80, 128, 160, 256, 320, 512, 576]


def test_batches_of_several_texts_have_six_numbers_of_tokens():
    """By hand: 2, 3, 4, 6, 15 and 30 thirtieths of 480; texts alone have 8, 16, … 64. No text is longer than 30."""
    longest = Longest(64, 480)
    shapes = {shape for length in range(1, 31) for shape in shapes_for(length, longest)}
    assert {shape.n_tokens for shape in shapes if shape.rows > 1} == {32, 48, 64, 96, 240, 480}
    assert {shape for shape in shapes if shape.rows == 1} == {(1, 8), (1, 16), (1, 24), (1, 32)}


def test_the_shapes_of_a_length_are_those_that_no_other_one_makes_needless():
    """By hand, for 9 to 10 tokens: 12 divides 48 and 96, 16 divides 32, 64 and 96, 10 divides 240 and 480. In 64 tokens
    4 rows of 16 are no more than 4 rows of 12 in 48; in 96, 8 rows of 12 are more than 6 of 16.
    """
    assert shapes_for(10, Longest(64, 480)) == ((1, 16), (2, 16), (4, 12), (8, 12), (24, 10), (48, 10))


@pytest.mark.parametrize(("batch", "most"), [(480, 480), (512, 480), (2048, 1920), (479, 360), (100, 100), (20, 20)])
def test_the_budget_becomes_one_that_many_lengths_divide(batch, most):
    assert max(shapes_for(10, Longest(64, batch)), key=lambda shape: shape.rows) == (most // 10, 10)


def test_the_longest_text_that_is_read_has_a_shape_for_several():
    assert shapes_for(63, Longest(64, 480)) == ((1, 64), (7, 64))
    assert shapes_for(50, Longest(50, 512)) == ((1, 50), (9, 50))
    assert shapes_for(33, Longest(50, 480))[0] == (1, 40)


def test_a_text_longer_than_the_budget_is_computed_alone():
    assert shapes_for(300, Longest(512, 240)) == ((1, 320),)
    assert shapes_for(3, Longest(64, 1)) == ((1, 8),)


@pytest.mark.parametrize(
    ("n_rows", "length", "shape"),
    [
        (1, 10, (1, 16)), (2, 10, (2, 16)), (3, 10, (4, 12)), (5, 10, (8, 12)), (9, 10, (24, 10)), (25, 10, (48, 10)),
        (49, 10, (96, 10)), (2, 63, (7, 64)), (8, 63, (14, 64)),
    ],
)  # fmt: skip
def test_rows_go_up_to_the_next_shape_or_several_times_the_largest(n_rows, length, shape):
    assert shape_of(n_rows, length, Longest(64, 480)) == Shape(*shape)


def features(lengths, kinds=None):
    return [
        {"input_ids": np.ones(length, np.int32)} | ({} if kinds is None else {"kind": np.array([kinds[number]])})
        for number, length in enumerate(lengths)
    ]


def lengths_of(groups, lengths):
    return [[lengths[i] for i in group] for group in groups]


LONGEST = Longest(64, 480)


def test_features_share_a_batch_where_a_batch_more_would_cost_more_than_padding():
    """By hand, with 24 tokens a batch: 12 rows of 8 in one cost 96 + 24. Of 5 texts of 8, one alone and four cost
    8 + 32 + 48 = 88, all in 6 rows 48 + 24. Two of 16 and two of 14 in 4 rows of 16 cost 64 + 24, in two batches
    2 · (32 + 24).
    """
    assert TOKENS_PER_CALL == 24
    assert [len(group) for group in grouped(features([8] * 12), LONGEST)] == [12]
    assert [len(group) for group in grouped(features([8] * 5), LONGEST)] == [5]
    lengths = [14, 16, 14, 16]
    assert lengths_of(grouped(features(lengths), LONGEST), lengths) == [[16, 16, 14, 14]]


def test_a_long_text_is_computed_alone_and_first():
    """7 rows of 64 cost 448 + 24; one of 64 and 8 rows of 4: 64 + 24 and 32 + 24."""
    lengths = [4, 64, 4, 4]
    assert lengths_of(grouped(features(lengths), LONGEST), lengths) == [[64], [4, 4, 4]]


@pytest.mark.parametrize("seed", range(20))
def test_no_other_way_to_cut_costs_less(seed):
    """Against all 2^(n-1) ways to cut the sorted lengths."""
    draw = np.random.default_rng(seed)
    lengths = np.sort(draw.integers(1, 40, 9))[::-1].tolist()
    longest = Longest(64, int(draw.choice([40, 80, 512])))

    def cost(cuts):
        own = [lengths[a:b] for a, b in pairwise([0, *cuts, len(lengths)])]
        if any(len(one) > shapes_for(one[0], longest)[-1].rows for one in own):
            return np.inf
        return sum(shape_of(len(one), one[0], longest).n_tokens + TOKENS_PER_CALL for one in own)

    ways = [cuts for n in range(9) for cuts in combinations(range(1, 9), n)]
    found = [len(group) for group in grouped(features(lengths), longest)]
    assert cost(np.cumsum(found)[:-1].tolist()) == min(map(cost, ways))


@pytest.mark.parametrize("longest", [64, 128, 512])
def test_many_texts_of_one_length_are_padded_by_less_than_a_third(longest):
    """61 tokens are the worst: computed as 80, or 64 where that is the longest."""
    shapes = Longest(longest, 480)
    for length in range(4, longest + 1):
        groups = grouped(features([length] * 64), shapes)
        n_tokens = sum(shape_of(len(group), length, shapes).n_tokens for group in groups)
        assert n_tokens < 64 * length * 4 / 3, length


def test_every_feature_is_in_one_batch_with_its_kind_within_the_budget():
    draw = np.random.default_rng(0)
    lengths, kinds = draw.integers(1, 70, 300).tolist(), draw.integers(0, 3, 300).tolist()
    groups = grouped(features(lengths, kinds), Longest(70, 512))
    assert sorted(np.concatenate(groups).tolist()) == list(range(300))
    for group in groups:
        assert len({kinds[i] for i in group}) == 1
        assert len(group) * max(lengths[i] for i in group) <= 512 or len(group) == 1
    assert grouped([], LONGEST) == []


def batch(n_rows, length):
    ids = np.arange(1, n_rows * length + 1).reshape(n_rows, length)
    return {
        "input_ids": ids,
        "attention_mask": np.ones_like(ids),
        "token_type_ids": np.ones_like(ids),
        "starts": np.arange(2 * n_rows).reshape(n_rows, 2),
    }


def test_a_batch_is_filled_with_padding_and_with_its_first_row():
    inputs = batch(7, 3)  # 7 rows → 8, 3 tokens → 4
    found = filled(inputs, {"input_ids", "attention_mask", "token_type_ids"}, 99, Longest(64, 512))
    assert {name: one.shape for name, one in found.items()} == {
        "input_ids": (8, 4),
        "attention_mask": (8, 4),
        "token_type_ids": (8, 4),
        "starts": (8, 2),
    }
    assert found["input_ids"][:7].tolist() == [[*row, 99] for row in inputs["input_ids"].tolist()]
    assert found["attention_mask"][:7].tolist() == [[1, 1, 1, 0]] * 7
    assert found["input_ids"][7:].tolist() == [[1, 2, 3, 99]]
    assert found["starts"][:7].tolist() == inputs["starts"].tolist()
    assert found["starts"][7:].tolist() == [[0, 1]]
    assert all(one.dtype == inputs[name].dtype for name, one in found.items())


def test_a_batch_that_has_a_shape_stays_as_it_is():
    inputs = batch(4, 16)
    found = filled(inputs, set(inputs) - {"starts"}, 0, Longest(64, 512))
    assert all(found[name].tolist() == inputs[name].tolist() for name in inputs)


@pytest.mark.parametrize(("length", "longest", "computed"), [(49, 50, 50), (50, 50, 50), (33, 50, 40), (60, 50, 60)])
def test_a_text_never_grows_beyond_what_the_model_reads(length, longest, computed):
    inputs = {"input_ids": np.ones((1, length), np.int64)}
    assert filled(inputs, {"input_ids"}, 0, Longest(longest, 512))["input_ids"].shape == (1, computed)
