"""Shapes: few of them, little padding, and what is added changes nothing of what was there."""

import numpy as np
import pytest

from burnish.bundle.shapes import Longest, filled, rounded_lengths, rounded_rows


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
