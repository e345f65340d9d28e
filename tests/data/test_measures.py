import numpy as np
import pytest

from burnish.data.measures import count_words, measure, quantiles


@pytest.mark.parametrize(
    ("text", "n"),
    [
        ("", 0),
        ("two words", 2),
        ("今天天气", 4),
        ("iPhone 手机 很好", 5),
        ("用iPhone拍", 3),
        ("カメラ", 3),
        ("naïve  café", 2),
    ],
)
def test_words_lie_between_spaces_and_chinese_characters_count_each(text, n):
    assert count_words(text) == n


def test_streamed_texts_are_measured():
    found = measure(iter(["ab cd", "  ", "文本"]))
    assert found.characters.tolist() == [5, 2, 2]
    assert found.words.tolist() == [2, 0, 2]
    assert found.n_empty == 1


def test_quantiles_are_values_that_occur():
    found = quantiles(np.arange(1, 101))
    assert (found.minimum, found.median, found.p95, found.maximum) == (1, 50, 95, 100)
    assert quantiles(np.array([], np.int32)).maximum == 0
