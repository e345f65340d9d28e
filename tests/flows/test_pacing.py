from __future__ import annotations

import pytest

from burnish.flows.pacing import mean_tokens, pace


@pytest.mark.parametrize(
    ("n_rows", "epochs", "texts_per_batch"),
    [
        (100, 20, 4),  # 8,000 / 100 = 80 passes, bounded; 2,000 readings / 4 = 500 steps
        (300, 20, 8),  # 6,000 readings / 4 = 1,500 steps are too many; / 8 = 750
        (464, 17, 16),  # 8,000 / 464 = 17.2 passes; 7,888 readings / 8 = 986 are too many; / 16 = 493
        (1_500, 5, 16),
        (5_000, 4, 32),  # never fewer than 4 passes; 20,000 / 16 = 1,250 are too many; / 32 = 625
        (20_000, 4, 64),  # no larger batch: 1,250 steps
    ],
)
def test_passes_and_batches_follow_the_number_of_rows(n_rows, epochs, texts_per_batch):
    found = pace(n_rows, 16)
    assert (found.epochs, found.texts_per_batch) == (epochs, texts_per_batch)


@pytest.mark.parametrize("n_rows", [100, 130, 156, 200, 304, 464, 700, 999, 1_500, 3_000, 8_000, 15_000])
def test_files_of_a_hundred_rows_and_more_get_400_to_1500_steps(n_rows):
    assert 400 <= n_rows * pace(n_rows, 16).epochs / pace(n_rows, 16).texts_per_batch <= 1_500


def test_a_batch_is_a_multiple_of_64_tokens_near_its_texts():
    found = pace(464, 17)
    assert found.tokens_per_batch == 256  # 16 × 17 = 272
    assert found.texts_at_once == 15
    assert found.n_steps == 420  # 464 × 0.8 × 17 / 15 = 421, dev taken off


def test_batches_of_long_texts_fit_into_memory_and_those_of_words_are_worth_computing():
    assert pace(20_000, 900).tokens_per_batch == 4_096
    assert pace(100, 3).tokens_per_batch == 64


def test_a_small_file_gives_a_larger_share_to_dev():
    assert (pace(999, 16).dev_share, pace(1_000, 16).dev_share) == (0.2, 0.1)


def test_tokens_are_estimated_from_words_of_every_text_column():
    rows = [{"a": "one two three", "b": ["four", "five"], "c": None, "label": "six"}, {"a": "seven", "b": []}]
    assert mean_tokens(rows, ["a", "b", "c"], is_chinese=False) == 6  # 6 words / 2 rows × 1.2 + 2 = 5.6


def test_chinese_characters_are_fewer_tokens_than_words_are():
    assert mean_tokens([{"a": "这家餐厅的菜很好吃啊"}], ["a"], is_chinese=True) == 10  # 10 × 0.8 + 2
