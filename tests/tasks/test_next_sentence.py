"""next_sentence: pairs read, others drawn anew from the batch."""

import numpy as np
import pytest

from burnish.core.shelves import Shelf
from burnish.tasks.next_sentence import Following

LABELS = ("no", "yes")


@pytest.fixture
def task():
    return Shelf("tasks").build("next_sentence")


@pytest.mark.parametrize(("said", "label"), [("yes", "yes"), (True, "yes"), (0, "no"), ("False", "no"), ("NO", "no")])
def test_yes_and_no_are_said_in_many_ways(task, said, label):
    assert task.read({"text": "a", "text_pair": "b", "follows": said}, True)["label"] == label


@pytest.mark.parametrize("said", ["perhaps", None, "", 2])
def test_anything_else_is_refused(task, said):
    with pytest.raises(ValueError, match=r"^'follows' must be yes or no; got "):
        task.read({"text": "a", "text_pair": "b", "follows": said}, True)


def test_one_text_alone_cannot_be_followed(task):
    with pytest.raises(
        ValueError, match=r"^'text_pair' is missing: this task tells whether a second text follows \(--p"
    ):
        task.read({"text": "a"}, is_labelled=False)


def encoded(task, base, *rows):
    names = ("text", "text_pair", "follows", "document")
    examples = [task.read(dict(zip(names, row, strict=True)), True) for row in rows]
    return [one.features[0] for one in task.encode(examples, task.load_reader(base, 16, ""), LABELS)]


def test_others_are_drawn_from_other_documents_of_the_batch_and_neighbours_stay(task, tiny_base):
    features = encoded(
        task, tiny_base, ("good", "a b", "yes", "1"), ("bad", "c", "no", "2"), ("so", "d e", "no", "2"),
    )  # fmt: skip
    for seed in range(8):
        varied = task.varied(features, np.random.default_rng(seed))
        assert varied[0] is features[0]
        for one, own in zip(varied[1:], features[1:], strict=True):
            first = own["input_ids"][: own["second"][0]].tolist()
            second = features[0]["input_ids"][slice(*features[0]["second"])].tolist()
            assert one["input_ids"].tolist() == [*first, *second, 3]
            assert one["token_type_ids"].tolist() == [0] * len(first) + [1] * (len(second) + 1)
            assert one["label"].tolist() == [0]


def test_what_is_drawn_is_cut_to_the_longest_of_the_batch(task, tiny_base):
    long, short = encoded(task, tiny_base, ("a", "b " * 30, "yes", "1"), ("c d e f g", "h", "no", "2"))
    assert len(long["input_ids"]) == 16
    assert len(task.varied([long, short], np.random.default_rng(0))[1]["input_ids"]) == 16


def test_a_batch_of_one_document_stays_as_it_is(task, tiny_base):
    features = encoded(task, tiny_base, ("a", "b", "no", "1"), ("c", "d", "no", "1"))
    assert task.varied(features, np.random.default_rng(0)) == features


def test_an_answer_reads_as_a_line():
    assert Following(follows=False, probability=0.25, abstained=True).lines()[0] == ("does not follow", 0.75, True)
    assert Following(follows=True, probability=0.8, abstained=False).lines()[0] == ("follows", 0.8, False)
