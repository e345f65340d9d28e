"""Gold answers: forms, and offsets that do not fit."""

import re

import numpy as np
import pytest

from burnish.data.answers import Gold, parse_answers
from burnish.data.spans import COUNTED

TEXT = "Ana met Bo in Oslo. Later Bo left Oslo for Rome."


@pytest.mark.parametrize(
    "value",
    [
        [{"text": "Oslo", "start": 14}],
        [{"text": "Oslo", "answer_start": 14}],
        [{"text": "Oslo", "start": 14.0, "end": 18}],
        {"text": ["Oslo"], "answer_start": [14]},
        {"text": np.array(["Oslo"], object), "answer_start": np.array([14])},
        {"text": "Oslo", "start": 14},
        '[{"text": "Oslo", "start": 14}]',
        [{"text": " Oslo ", "start": 13}],
    ],
)
def test_every_form_is_read(value):
    assert parse_answers(value, TEXT) == ((Gold("Oslo", 14),), None)


@pytest.mark.parametrize("value", [[], {"text": [], "answer_start": []}, "[]"])
def test_an_empty_list_says_that_there_is_no_answer(value):
    assert parse_answers(value, TEXT) == ((), None)


def test_an_answer_without_a_start_is_looked_for():
    assert parse_answers(["Rome"], TEXT).answers == (Gold("Rome", 43),)


@pytest.mark.parametrize(
    ("start", "found"),
    [(13, 14), (15, 14), (33, 34), (0, 14), (-1, 14)],
)
def test_an_offset_that_is_a_little_off_is_put_right_and_said(start, found):
    golds = parse_answers([{"text": "Oslo", "start": start}], TEXT)
    assert golds == ((Gold("Oslo", found),), f"the answer 'Oslo' starts at character {found}, not {start}; put right.")


def test_an_answer_far_away_is_taken_where_it_stands_once():
    golds = parse_answers([{"text": "Rome", "start": 0}], TEXT)
    assert golds == ((Gold("Rome", 43),), "the answer 'Rome' starts at character 43, not 0; put right.")


def test_gold_answers_that_stand_nowhere_are_kept_for_judging_beside_one_that_does():
    golds = parse_answers([{"text": "Norway", "start": -1}, {"text": "Oslo", "start": 14}], TEXT)
    assert golds.answers == (Gold("Norway", None), Gold("Oslo", 14))
    assert golds.note == "the answer 'Norway' is not in the context: it counts when judging, and is not learned."


REST = "; correct it, or take the row out (data.bad_rows: drop skips such rows)."


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([{"text": "Paris", "start": 14}], f"the answer 'Paris' is not in the context{REST}"),
        (["Oslo"], f"the answer 'Oslo' stands 2 times in the context; give its start{REST}"),
        (
            [{"text": "Oslo", "start": 90}],
            f"the answer 'Oslo' is not at character 90, where '' stands, but 2 times elsewhere{REST}",
        ),
        (
            [{"text": "Oslo", "start": 18, "end": 14}],
            "the answer 'Oslo' [18, 14] is reversed: it ends before it starts.",
        ),
        (
            [{"text": "Oslo", "start": 14, "end": 17}],
            f"the answer 'Oslo' has 4 characters, but [14, 17] holds 3; {COUNTED}.",
        ),
        (
            [{"text": " ", "start": 3}],
            "an answer is empty; where the context holds no answer, the list of answers is: [].",
        ),
        ([{"text": "Oslo", "start": "x"}], "the offset 'x' is not a whole number."),
        ({"text": ["a"], "answer_start": []}, "'answers' must hold as many in 'answer_start' as in 'text'."),
        (
            None,
            'has no \'answers\'; write [{"text": …, "start": …}], and [] where the context holds no answer.',
        ),
        (
            5,
            '\'answers\' is 5, not a list; write [{"text": …, "start": …}], and [] where the context holds no answer.',
        ),
        (
            [7],
            'the answer 7 has no text; write [{"text": …, "start": …}], and [] where the context holds no answer.',
        ),
    ],
)
def test_answers_that_cannot_be_used_are_told_in_one_sentence(value, sentence):
    with pytest.raises(ValueError, match=f"^{re.escape(sentence)}$"):
        parse_answers(value, TEXT)


def test_answers_that_are_no_json_are_told():
    with pytest.raises(ValueError, match=r"^'answers' is not JSON \(Expecting value: line 1 column 1"):
        parse_answers("Oslo", TEXT)
