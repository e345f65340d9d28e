from itertools import pairwise

import numpy as np

from burnish.data.segmentation import word_ends, words_of_tokens


def words(text):
    starts = [0, *word_ends(text).tolist()]
    return [text[a:b].strip() for a, b in pairwise(starts)]


def test_words_are_runs_of_letters_and_chinese_words_of_a_dictionary():
    assert words("Don't rain, 2024!") == ["Don't", "rain", ",", "2024", "!"]
    assert words("中国人民银行决定下调利率。") == ["中国人民银行", "决定", "下调", "利率", "。"]
    assert words("链a条") == ["链", "a", "条"]


def numbers(text, *offsets):
    return words_of_tokens(text, np.array(offsets, np.int64).reshape(-1, 2)).tolist()


def test_pieces_of_a_word_have_its_number():
    assert numbers("rain coats", (0, 2), (2, 4), (5, 10)) == [0, 0, 1]
    assert numbers("决定下调", (0, 1), (1, 2), (2, 3), (3, 4)) == [0, 0, 1, 1]


def test_white_space_before_a_word_belongs_to_it():
    assert numbers("a rain", (0, 1), (1, 3), (3, 6)) == [0, 1, 1]


def test_a_token_that_reaches_into_the_next_word_ties_both():
    assert numbers("决定下调利率", (0, 1), (1, 3), (3, 4), (4, 6)) == [0, 0, 0, 1]


def test_no_tokens_have_no_words():
    assert numbers("") == []
