"""Texts at the edge: what must be among them, and that every encoder task can be asked them."""

import unicodedata

import pytest
from tests.contracts.test_tasks import ROWS

from burnish.bundle.bundle import Knowledge
from burnish.bundle.predictor import Predictor
from burnish.compression.edges import N_EDGES, edge_texts
from burnish.compression.methods._encoders import GIVES
from burnish.compression.parity import examples_at_the_edge
from burnish.core.shelves import Shelf
from burnish.models.tokenizer import load_tokenizer
from burnish.tasks._contract import Decision

LENGTHS = [8, 64, 128, 512]
ENCODERS = [
    name
    for name in Shelf("tasks").names()
    if name in ROWS and name != "multitask" and Shelf("tasks").get(name)().head_part.gives in GIVES
]


@pytest.mark.parametrize("max_length", LENGTHS)
def test_there_are_200_of_which_no_two_are_alike(max_length):
    texts = edge_texts(max_length)
    assert N_EDGES == len(texts) == len(set(texts)) == 200


@pytest.mark.parametrize("max_length", LENGTHS)
def test_nothing_that_goes_wrong_first_is_left_out(max_length):
    texts = edge_texts(max_length)
    n_words = {len(text.split()) for text in texts}
    assert "" in texts
    assert {"a", "。", "不", "🙂"} <= set(texts), "one token"
    assert max(n_words) > max_length, "longer than the model reads"
    assert any(max_length - max_length // 4 <= n <= max_length for n in n_words), "about as long as it reads"
    assert any(unicodedata.category(letter) == "Cc" for text in texts for letter in text), "control characters"
    assert any("\u200d" in text for text in texts), "emoji joined to one"
    assert "Привет 你好 hello שלום مرحبا" in texts, "mixed scripts"
    assert any("[MASK]" in text for text in texts), "words that look like special tokens"


def test_they_are_the_same_every_time():
    assert edge_texts(128) == edge_texts(128)


def predictor_of(task, base):
    part = Shelf("tasks").build(task)
    tokenizer = load_tokenizer(base, is_cjk_split=part.is_cjk_split)
    return Predictor(Knowledge(part, ("a", "b"), Decision(), tokenizer.max_length, "tiny"), tokenizer, None)


def test_these_are_the_encoders():
    assert {"classification", "multilabel", "tokens", "relations", "matching", "answers", "retrieval"} <= set(ENCODERS)


@pytest.mark.parametrize("task", ENCODERS)
def test_every_encoder_task_is_asked_at_least_150(task, tiny_base):
    predictor = predictor_of(task, tiny_base)
    like = predictor.task.read(ROWS[task][0], is_labelled=True)
    examples = examples_at_the_edge(predictor, edge_texts(predictor.reader.max_length), like)
    assert len(examples) >= 150
    encoded = predictor.task.encode(examples, predictor.reader, ("a", "b"))
    lengths = {len(feature["input_ids"]) for one in encoded for feature in one.features}
    assert len(lengths) > 10
    assert max(lengths) >= predictor.reader.max_length


def test_a_second_text_is_that_of_the_row_they_are_like(tiny_base):
    predictor = predictor_of("matching", tiny_base)
    [one] = examples_at_the_edge(predictor, ["at the edge"], {"text": "x", "text_pair": "a day", "score": 1.0})
    assert (one["text"], one["text_pair"]) == ("at the edge", "a day")


def test_relations_stand_around_the_text_and_answers_are_looked_for_in_it(tiny_base):
    [one] = examples_at_the_edge(predictor_of("relations", tiny_base), ["good day"], {})
    assert one["text"] == "@ a @ good day # b # good day"
    [one] = examples_at_the_edge(predictor_of("answers", tiny_base), ["good day"], {"text": "q", "text_pair": "so bad"})
    assert (one["text"], one["text_pair"]) == ("good day", "good day so bad")


def test_a_text_that_the_task_refuses_is_asked_of_nobody(tiny_base):
    assert examples_at_the_edge(predictor_of("relations", tiny_base), ["<e1>"], {}) == []


def test_where_a_text_would_be_a_file_there_are_none(tiny_base):
    predictor = predictor_of("classification", tiny_base)
    predictor.knowledge = Knowledge(Shelf("tasks").build("image"), ("a",), Decision(), 8, "tiny")
    assert examples_at_the_edge(predictor, edge_texts(8), {}) == []
