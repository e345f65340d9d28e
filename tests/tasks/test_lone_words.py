"""Words read one by one: what a head for `words` sees, and how its answers become spans."""

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.models.locate import locate
from burnish.models.tokenizer import load_tokenizer
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._decoding import best_path, tag_names

LABELS = ("LOC", "PER")
TOLD = {"LOC": "name of a city", "PER": "name of a person"}


@pytest.fixture(scope="module")
def task():
    return Shelf("tasks").build({"name": "tokens", "labels": TOLD})


@pytest.fixture(scope="module")
def tokenizer(task):
    return task.load_reader(locate("minilm").folder, None, "")


def said(task, tokenizer, text):
    """The pieces of each feature, and the (first word, words) that its first token stands for."""
    (encoded,) = task.encode([task.read({"text": text}, is_labelled=False)], tokenizer, LABELS)
    found = []
    for feature in encoded.features:
        begin = len(tokenizer.prefix)
        body = feature["input_ids"][begin : len(feature["input_ids"]) - len(tokenizer.suffix)]
        found.append((tokenizer.backend.decode(body.tolist()), int(feature["word"][begin]), feature["n_covered"].sum()))
    return found


def test_every_word_with_a_letter_or_digit_is_a_text_of_its_own(task, tokenizer):
    assert said(task, tokenizer, "Ann met Bob, in 1987!") == [
        ("ann", 0, 1), ("met", 1, 1), ("bob", 2, 1), ("in", 4, 1), ("1987", 5, 1),
    ]  # fmt: skip


def test_chinese_is_read_by_words_whose_first_character_answers(task):
    tokenizer = load_tokenizer(locate("minilm").folder)
    found = [(text.replace(" ", ""), word, n) for text, word, n in said(task, tokenizer, "我在北京大学读书")]
    assert [(word, n) for _, word, n in found] == [(0, 1), (1, 1), (2, 4), (6, 2)]


def test_the_tokenizer_leaves_chinese_words_whole(task):
    assert not task.is_cjk_split
    assert Shelf("tasks").build("tokens").is_cjk_split


def test_a_text_without_words_has_one_feature_and_no_span(task, tokenizer):
    (encoded,) = task.encode([task.read({"text": " …!"}, is_labelled=False)], tokenizer, LABELS)
    assert [len(one["input_ids"]) for one in encoded.features] == [2]
    outputs = [np.zeros((2, 5), np.float32)]
    (answer,) = task.decode([Answered({**_example(task, " …!")}, encoded.features, outputs)], LABELS, Decision())
    assert answer.spans == ()


def _example(task, text):
    return task.read({"text": text}, is_labelled=False)


def test_neighbours_with_one_label_are_one_span_across_what_is_not_read(task, tokenizer):
    text = "I saw Ann-Lou Berg and Bob"
    example = _example(task, text)
    (encoded,) = task.encode([example], tokenizer, LABELS)
    named = {"Ann", "Lou", "Berg", "Bob"}
    words = [text[a:b] for a, b in zip(example["word_starts"], example["word_ends"], strict=True)]
    person = np.array([0, -9, -9, 2, 2], np.float32)  # B-PER and I-PER alike, as both start from the same words
    none = np.array([2, -9, -9, 0, 0], np.float32)
    outputs = []
    for feature in encoded.features:
        is_name = words[int(feature["word"].max())] in named
        outputs.append(np.tile(person if is_name else none, (len(feature["input_ids"]), 1)))
    (answer,) = task.decode([Answered(example, encoded.features, outputs)], LABELS, Decision())
    assert [one.text for one in answer.spans] == ["Ann-Lou Berg", "Bob"]


def test_of_equal_tags_a_span_goes_on():
    names = tag_names(LABELS)
    scores = np.log(np.array([[0.1, 0, 0, 0.45, 0.45]] * 3) + 1e-9)
    assert [names[i] for i in best_path(scores)] == ["B-PER", "I-PER", "I-PER"]


def test_the_words_of_a_label_are_one_word_and_so_are_those_for_all_else(task, tokenizer):
    outside, city, person = task.told_examples()
    assert (outside["text"], outside["span_labels"]) == ("other", [])
    assert (city["text"], city["span_labels"], city["word_ends"]) == ("name of a city", ["LOC"], [14])
    features = [one.features[0] for one in task.encode([outside, city, person], tokenizer, LABELS)]
    assert [one["labels"].tolist()[1] for one in features] == [0, 1, 3]
    assert [len(one["input_ids"]) for one in features] == [3, 6, 6]


def test_words_for_what_is_no_span_follow_the_language_or_are_told():
    def outside(**settings):
        return Shelf("tasks").build({"name": "tokens", **settings}).told_examples()[0]["text"]

    assert outside(labels=["city"]) == "other"
    assert outside(labels={"city": "城市的名字"}) == "其他"
    assert outside(labels=["city"], outside="any verb") == "any verb"


@pytest.mark.parametrize(
    ("settings", "n_rows", "head"),
    [
        ({"labels": TOLD}, None, "word_cosine"),
        ({}, 5, "token"),
        ({"labels": TOLD}, 1000, "token_cosine"),
        ({"head": "token"}, 5, "token"),
    ],
)
def test_the_head_follows_told_labels_and_rows_unless_it_is_named(settings, n_rows, head):
    counts = {} if n_rows is None else {"LOC": n_rows, "PER": n_rows}
    suited = Shelf("tasks").build({"name": "tokens", **settings}).suited(counts)
    assert suited.as_recipe()["head"]["name"] == head


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"labels": TOLD, "head": "token"},
            "labels are told in words, which the head 'token' cannot start from; leave the head out",
        ),
        ({"labels": {"a": "x", "b": "X"}}, "has the same words for 'a' and 'b', 'X'; say what sets them apart"),
        ({"labels": TOLD, "outside": " "}, "has no words; write some, or null to take `other`"),
        ({"labels": {"LOC": None, "PER": "other"}}, "says 'other' of 'PER' too, which tells of what is no span"),
    ],
)
def test_words_that_tell_nothing_are_refused(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        Shelf("tasks").build({"name": "tokens", **settings})
