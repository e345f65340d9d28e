"""Answers: windows, where an answer stands among tokens, the best piece, no answer, what calibration sees."""

import math

import numpy as np
import pytest
import torch

from burnish.core.shelves import Shelf
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._passages import N_BEST

LETTERS = " ".join("abcdefghijklmnopqrst")  # a token each


@pytest.fixture
def task():
    return Shelf("tasks").build("answers")


def example(task, context, *answers, question="who?"):
    given = [{"text": text, "start": start} for text, start in answers]
    return task.read({"question": question, "context": context, "answers": given}, True)


def encoded(task, tokenizer, one):
    return task.encode([one], tokenizer, ())[0]


def answered(task, tokenizer, one, *marks):
    """Outputs of 0 but for the marks: (window, token, side, logit), side 0 for start and 1 for end."""
    features = encoded(task, tokenizer, one).features
    outputs = [np.zeros((len(feature["input_ids"]), 2), np.float32) for feature in features]
    for window, token, side, logit in marks:
        outputs[window][token, side] = logit
    return Answered(one, features, outputs)


def test_a_feature_is_question_and_context_as_the_base_reads_pairs(task, tokenizer):
    one = encoded(task, tokenizer, example(task, "Ana met Bo.", ("Bo", 8), question="Whom?"))
    whole = tokenizer.ids([("Whom?", "Ana met Bo.")])[0]
    (feature,) = one.features
    assert feature["input_ids"].tolist() == whole.ids
    assert feature["token_type_ids"].tolist() == whole.type_ids
    first, last = feature["target"]
    assert (feature["piece_starts"][first], feature["piece_ends"][last]) == (8, 10)
    assert (one.n_tokens, one.n_cut, one.notes) == (len(whole.ids), 0, ())


def test_a_long_context_is_read_in_windows_and_only_one_that_holds_the_answer_learns_it(task, short_tokenizer):
    """16 tokens less 3 specials and 2 of the question leave 11: the letters 0–10 and 9–19. k l are 10 and 11."""
    one = encoded(task, short_tokenizer, example(task, LETTERS, ("k l", 20)))
    assert [len(feature["input_ids"]) for feature in one.features] == [16, 16]
    assert [feature["target"].tolist() for feature in one.features] == [[0, 0], [5, 6]]
    assert all(feature["piece_starts"][:4].tolist() == [-1] * 4 for feature in one.features)
    assert one.features[1]["piece_starts"][4] == 18


def test_an_answer_that_no_window_holds_is_noted(task, short_tokenizer):
    one = encoded(task, short_tokenizer, example(task, LETTERS, ("i j k l", 16)))
    assert one.notes == ("no window holds the whole answer; it is not learned.",)
    assert all(feature["target"].tolist() == [0, 0] for feature in one.features)


def test_an_answer_longer_than_is_ever_given_is_noted(tokenizer):
    task = Shelf("tasks").build({"name": "answers", "max_answer_tokens": 2})
    one = encoded(task, tokenizer, example(task, LETTERS, ("a b c", 0)))
    assert one.notes == ("the answer has 3 tokens, and none above max_answer_tokens (2) is given.",)


def test_a_question_takes_at_most_half_of_the_room(task, short_tokenizer):
    """Room for 13: 6 of the question's 20 tokens and 7 of the context."""
    one = encoded(task, short_tokenizer, example(task, "a b", ("b", 2), question=LETTERS))
    assert (one.n_cut, one.n_tokens) == (14, 25)
    assert len(one.features[0]["input_ids"]) == 11


def test_an_offset_put_right_is_noted(task, tokenizer):
    one = encoded(task, tokenizer, example(task, "Ana met Bo.", ("Bo", 7)))
    assert one.notes == ("the answer 'Bo' starts at character 8, not 7; put right.",)


def test_a_row_that_cannot_be_used_is_told_with_its_id(task):
    row = {"id": "q7", "question": "who?", "context": "Ana", "answers": [{"text": "Bo", "start": 0}]}
    with pytest.raises(ValueError, match=r"^\(question q7\) the answer 'Bo' is not in the context; correct it"):
        task.read(row, True)


def test_the_loss_is_over_the_context_and_the_first_token_only(task, tokenizer):
    """Two letters and the first token: with equal logits ln 3, for start and for end."""
    one = encoded(task, tokenizer, example(task, "a b", ("b", 2)))
    batch = task.collate(one.features, 0, 0).to("cpu")
    logits = torch.zeros(1, len(one.features[0]["input_ids"]), 2)
    logits[0, 1] = 50.0  # a token of the question
    assert task.loss(logits, batch, None, 0.0).item() == pytest.approx(math.log(3))
    assert task.loss(logits, batch, None, 0.5).item() == pytest.approx(math.log(3))


# "a b" after [CLS] who ? [SEP]: a is token 4, b token 5. Scores: a 1, b 2, "a b" 3, no answer 0.
MARKS = [(0, 4, 0, 1.0), (0, 5, 1, 2.0)]
TOTAL = 1 + math.e + math.e**2 + math.e**3


def test_the_best_piece_is_answered_with_its_share_of_all(task, tokenizer):
    row = answered(task, tokenizer, example(task, "a b"), *MARKS)
    (found,) = task.decode([row], (), Decision())
    assert (found.answer, found.start, found.end) == ("a b", 0, 3)
    assert found.confidence == pytest.approx(math.e**3 / TOTAL)


def test_answers_are_no_longer_than_the_setting_says(tokenizer):
    task = Shelf("tasks").build({"name": "answers", "max_answer_tokens": 1})
    row = answered(task, tokenizer, example(task, "a b"), *MARKS)
    (found,) = task.decode([row], (), Decision())
    assert (found.answer, found.start) == ("b", 2)
    assert found.confidence == pytest.approx(math.e**2 / (1 + math.e + math.e**2))


def test_below_the_threshold_of_dev_there_is_no_answer(task, tokenizer):
    row = answered(task, tokenizer, example(task, "a b"), *MARKS)
    p_answer = 1 - 1 / TOTAL
    (given,) = task.decode([row], (), Decision(label_thresholds=(p_answer - 0.01,)))
    (none,) = task.decode([row], (), Decision(label_thresholds=(p_answer + 0.01,)))
    assert given.answer == "a b"
    assert (none.answer, none.start, none.end) == ("", None, None)
    assert none.confidence == pytest.approx(1 / TOTAL)


def test_pieces_of_different_windows_are_compared_by_what_they_have_above_no_answer(task, short_tokenizer):
    """k l in the second window: 9 above 0. With 10 for no answer there, c in the first window is better."""
    marks = [(1, 5, 0, 5.0), (1, 6, 1, 4.0), (0, 6, 0, 3.0)]
    row = answered(task, short_tokenizer, example(task, LETTERS), *marks)
    assert task.decode([row], (), Decision())[0].answer == "k l"
    row = answered(task, short_tokenizer, example(task, LETTERS), *marks, (1, 0, 0, 10.0))
    assert task.decode([row], (), Decision())[0].answer.startswith("c")


def test_calibration_sees_the_choice_between_the_best_pieces_and_no_answer(task, tokenizer):
    rows = [answered(task, tokenizer, example(task, "a b", *gold), *MARKS) for gold in ([("b", 2)], [])]
    logits, gold, kind = task.evidence(rows, ())
    assert logits.shape == (2, 1 + N_BEST)
    assert logits[0, :4].tolist() == [0, 3, 2, 1]
    assert (gold.tolist(), kind) == ([2, 0], "softmax")


def test_gold_that_is_none_of_the_best_takes_the_last_place(task, tokenizer):
    row = answered(task, tokenizer, example(task, LETTERS, ("c", 4)), (0, 6, 0, -5.0))
    logits, gold, _ = task.evidence([row], ())
    assert gold.tolist() == [N_BEST]
    assert logits[0, N_BEST] == -5


def test_a_row_whose_answer_no_window_holds_says_nothing_about_calibration(task, short_tokenizer):
    row = answered(task, short_tokenizer, example(task, LETTERS, ("i j k l", 16)))
    assert len(task.evidence([row], ()).logits) == 0


def test_chinese_contexts_are_judged_as_chinese(task, tokenizer):
    rows = [answered(task, tokenizer, example(task, context)) for context in ("我在北京。", "in Oslo")]
    assert task.outcome(rows, (), Decision()).is_chinese.tolist() == [True, False]
