import numpy as np
import pytest
import torch
from tests.bundle.conftest import write_bundle

from burnish.bundle.bundle import open_bundle
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.core.errors import UserError
from burnish.tasks._contract import Decision, Task

TEXTS = ["good day", "so bad, so bad a day", "", "a", "中国 good 北京", "x" * 200]


@pytest.fixture(scope="module")
def predictor(tmp_path_factory, tiny_base):
    return load_predictor(write_bundle(tmp_path_factory.mktemp("predictor"), tiny_base))


class CountingCore:
    """Takes the place of the network: says "good" as often as a text has tokens."""

    def __init__(self):
        self.n_calls = 0

    def run(self, features):
        self.n_calls += 1
        return [np.asarray([0.0, len(feature["input_ids"])], np.float32) for feature in features]


def test_a_stream_is_read_one_chunk_at_a_time(predictor):
    n_read = 0

    def texts():
        nonlocal n_read
        for number in range(3 * Task.rows_at_once):
            n_read += 1
            yield "a" if number % 2 else "a b"

    core = CountingCore()
    answers = Predictor(predictor.knowledge, predictor.reader, core).predict(texts())
    assert n_read == 0
    for number, answer in enumerate(answers):
        assert n_read <= (number // Task.rows_at_once + 1) * Task.rows_at_once
        assert core.n_calls == number // Task.rows_at_once + 1
        n_tokens = 3 if number % 2 else 4
        assert answer.confidence == pytest.approx(1 / (1 + np.exp(-n_tokens)))
    assert number + 1 == n_read == 3 * Task.rows_at_once


def test_answers_come_in_the_order_of_the_texts_whatever_their_length(predictor):
    together = list(predictor.predict(TEXTS))
    alone = [predictor(text) for text in TEXTS]
    assert [one.label for one in together] == [one.label for one in alone]
    assert [one.confidence for one in together] == pytest.approx([one.confidence for one in alone], abs=1e-5)


def test_an_empty_text_is_answered(predictor):
    assert predictor("").label in {"bad", "good"}


def test_no_texts_have_no_answers(predictor):
    assert list(predictor.predict([])) == []


def plain_probabilities(folder, *texts):
    """By transformers alone: its own model, its own tokenizer, a softmax."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    model = AutoModelForSequenceClassification.from_pretrained(folder).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with torch.no_grad():
        logits = model(**tokenizer(*texts, truncation=True, return_tensors="pt")).logits[0]
    return dict(zip(model.config.id2label.values(), logits.softmax(0).tolist(), strict=True))


def confidences(answer):
    return {choice.label: choice.confidence for choice in (answer, *answer.runners_up)}


@pytest.mark.parametrize("text", TEXTS)
def test_confidences_equal_those_of_plain_transformers(bundle, text):
    answer = load_predictor(bundle)(text)
    assert confidences(answer) == pytest.approx(plain_probabilities(bundle / "model", text), abs=1e-5)


def test_a_pair_is_read_as_plain_transformers_reads_it(bundle):
    answer = load_predictor(bundle)({"text": "good day", "text_pair": "so bad"})
    assert confidences(answer) == pytest.approx(plain_probabilities(bundle / "model", "good day", "so bad"), abs=1e-5)


@pytest.mark.parametrize("is_pair_first", [True, False])
def test_a_text_among_pairs_and_a_pair_among_texts_are_answered_as_if_alone(predictor, is_pair_first):
    rows = [{"text": "good day", "text_pair": "so bad"}, "good day"]
    rows = rows if is_pair_first else rows[::-1]
    together = [confidences(answer) for answer in predictor.predict(rows)]
    assert together == [pytest.approx(confidences(predictor(row)), abs=1e-5) for row in rows]


def test_the_decision_of_the_bundle_makes_the_answer(tmp_path, tiny_base, predictor):
    decision = Decision("temperature", {"temperature": 5.0}, abstain_below=0.9)
    other = load_predictor(write_bundle(tmp_path / "bundle", tiny_base, decision=decision))
    before, after = predictor("good day"), other("good day")
    assert 0.5 < after.confidence < before.confidence
    assert (before.abstained, after.abstained) == (False, True)


def test_an_opened_bundle_serves_as_well_as_its_folder(bundle):
    assert load_predictor(open_bundle(bundle))("good") == load_predictor(str(bundle))("good")


def test_an_input_that_is_no_row_is_explained(predictor):
    with pytest.raises(ValueError, match=r"^'text' must be text; got list\.$"):
        predictor({"text": ["a"]})


def test_a_damaged_bundle_is_refused_before_it_is_loaded(bundle):
    (bundle / "model/model.safetensors").write_bytes(b"\x80\x04 a pickle")
    with pytest.raises(UserError, match=r"model/model\.safetensors was changed or damaged"):
        load_predictor(bundle)


def test_two_texts_fill_the_columns_that_hold_texts(predictor):
    assert predictor(("good day", "so bad")) == predictor({"text": "good day", "text_pair": "so bad"})


def test_more_texts_than_the_task_reads_are_refused(predictor):
    with pytest.raises(ValueError, match=r"^the task 'classification' reads text, text_pair; got 3 texts\.$"):
        predictor(("a", "b", "c"))
