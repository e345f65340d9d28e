"""Parity: what is counted as the same, and what is refused."""

import numpy as np
import pytest
from tests.contracts.test_tasks import SETTINGS, Made

from burnish.bundle.bundle import Knowledge
from burnish.compression.parity import Parity, agreements, parity
from burnish.core.shelves import Shelf
from burnish.tasks._contract import Answered, Decision

CHOICE = Shelf("tasks").build("classification")
SPANS = Shelf("tasks").build("answers")
VECTORS = Shelf("tasks").build("contrastive")
LABELS = ("a", "b")


def choice(*logits):
    return [Answered({"text": "x"}, [], [np.asarray(one, np.float32)]) for one in logits]


def knowing(task, labels=(), **decided):
    return Knowledge(task, labels, Decision(**decided), 16, "base")


def compared(judged, found, kind="float32", n_edge=0):
    return parity(judged, found, knowing(CHOICE, LABELS), kind, n_edge)


def test_the_largest_difference_and_shares_of_equal_answers_are_counted_by_hand():
    """Four texts, of which the third has another answer; the last two are at the edge."""
    judged = choice([1, 0], [0, 1], [0.1, 0], [3, 0])
    found = choice([1, 0.25], [0, 1], [-0.1, 0], [2.5, 0])
    told = compared(judged, found, "changed", n_edge=2)
    assert (told.n_held_out, told.n_edge) == (2, 2)
    assert told.largest_difference == 0.5
    assert (told.agreement, told.edge_agreement) == (1.0, 0.5)
    assert told.fault is None, "a network that was changed keeps to the budget alone"


def test_without_texts_at_the_edge_there_is_nothing_against_it():
    told = compared(choice([1, 0]), choice([1, 0]))
    assert (told.largest_difference, told.agreement, told.edge_agreement, told.n_edge) == (0.0, 1.0, 1.0, 0)


def told_of(kind, difference=0.0, agreement=1.0):
    return Parity(
        kind=kind, n_held_out=9, n_edge=0, largest_difference=difference, agreement=agreement, edge_agreement=1.0
    )


@pytest.mark.parametrize(
    ("kind", "difference", "agreement", "fault"),
    [
        ("float32", 1e-4, 1.0, None),
        ("float32", 2e-4, 1.0, "its outputs differ by up to 0.0002; 0.0001 is allowed"),
        ("float32", float("nan"), 1.0, "its outputs differ by up to nan; 0.0001 is allowed"),
        ("float32", float("inf"), 1.0, "its outputs differ by up to inf; 0.0001 is allowed"),
        ("float32", 0.0, 0.999, "99.90% of its answers are those of the judged model; 100% is asked"),
        ("quantised", 9.0, 0.99, None),
        ("quantised", 0.0, 0.9899, "98.99% of its answers are those of the judged model; 99% is asked"),
        ("quantised", 0.0, float("nan"), "nan% of its answers are those of the judged model; 99% is asked"),
        ("quantised", float("inf"), 1.0, "it gives outputs that are no numbers, or as many as it should not"),
        ("changed", 9.0, 0.1, None),
        ("changed", float("inf"), 1.0, "it gives outputs that are no numbers, or as many as it should not"),
    ],
)
def test_each_class_has_its_own_measure(kind, difference, agreement, fault):
    assert told_of(kind, difference, agreement).fault == fault


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_none_is_as_far_away_as_can_be(broken):
    told = compared(choice([1, 0], [0, 1]), choice([1, broken], [0, 1]), "quantised")
    assert (told.largest_difference, told.agreement) == (float("inf"), 0.5)


def test_other_shapes_are_as_far_away_as_can_be():
    rows = [Answered({"text": "q", "text_pair": "c"}, [], [np.zeros((n, 2), np.float32)]) for n in (3, 4)]
    assert VECTORS.head_part.gives == "vectors"
    told = parity(rows[:1], rows[1:], knowing(VECTORS), "quantised", 0)
    assert told.largest_difference == float("inf")
    assert told.agreement == 0.0


def vectors(*rows):
    return [Answered({"text": "x"}, [], [np.asarray(one, np.float32)]) for one in rows]


def test_vectors_agree_from_a_cosine_of_0_98_on():
    """cos 11° = 0.98163, cos 12° = 0.97815; of nothing and nothing it is 1, of vectors of unlike length 0."""
    near, far = ([np.cos(np.radians(angle)), np.sin(np.radians(angle))] for angle in (11, 12))
    judged, found = vectors([1, 0], [1, 0], [0, 0], [1, 0]), vectors(near, far, [0, 0], [1, 0, 0])
    assert agreements(judged, found, knowing(VECTORS)) == [True, False, True, False]


def test_confidence_alone_makes_no_other_answer():
    assert agreements(choice([9, 0]), choice([0.1, 0]), knowing(CHOICE, LABELS)) == [True]


def test_what_both_withhold_is_the_same():
    """Probabilities 0.52 and 0.48 of the other label; the third is given by one of them."""
    judged, found = choice([0.1, 0], [0.1, 0], [9, 0]), choice([0, 0.1], [0, 9], [0, 0.1])
    knowledge = knowing(CHOICE, LABELS, abstain_below=0.6)
    assert agreements(judged, found, knowledge) == [True, False, False]
    assert agreements(judged, found, knowing(CHOICE, LABELS)) == [False, False, False]


def test_a_span_must_have_the_same_offsets(tiny_base):
    reader = SPANS.load_reader(tiny_base, None, "")
    example = SPANS.read({"question": "so", "context": "good day"}, is_labelled=False)
    [encoded] = SPANS.encode([example], reader, ())
    ids = encoded.features[0]["input_ids"].tolist()
    good, day = (ids.index(reader.backend.token_to_id(word)) for word in ("good", "day"))

    def answered(start, end):
        logits = np.full((len(ids), 2), -9.0, np.float32)
        logits[start, 0] = logits[end, 1] = 9
        return [Answered(example, encoded.features, [logits])]

    assert agreements(answered(good, day), answered(good, day), knowing(SPANS)) == [True]
    assert agreements(answered(good, day), answered(day, day), knowing(SPANS)) == [False]


def test_each_word_counts_where_each_has_a_tag(tiny_base):
    """Of four words the judged model tags `good day` and `so`; the other tags the first two alike, and ends the span
    one word early: 3 of 4 agree. Of a text without words there is one answer.
    """
    made = Made(Shelf("tasks").build("tokens"), "tokens", tiny_base)
    labels, names = ("ART",), ["O", "B-ART", "I-ART"]
    text = made.task.read({"tokens": ["good", "day", "bad", "so"]}, is_labelled=False)
    none = made.task.read({"text": ""}, is_labelled=False)

    def answered(example, *tags):
        [encoded] = made.task.encode([example], made.reader, labels)
        logits = np.zeros((len(encoded.features[0]["input_ids"]), len(names)), np.float32)
        for place, tag in enumerate(tags, start=1):  # after the token that begins a text
            logits[place, names.index(tag)] = 9
        return Answered(example, encoded.features, [logits])

    judged = [answered(text, "B-ART", "I-ART", "O", "B-ART"), answered(none)]
    found = [answered(text, "B-ART", "O", "O", "B-ART"), answered(none)]
    assert agreements(judged, found, knowing(made.task, labels)) == [0.75, 1.0]


def test_several_tasks_on_one_model_are_compared_one_by_one(tiny_base):
    task = Shelf("tasks").build({"name": "multitask", **SETTINGS["multitask"]})
    made = Made(task, "multitask", tiny_base)
    rows = made.answered([task.read({"text": text}, is_labelled=False) for text in ("good", "so bad", "")])
    assert (
        agreements(
            rows, rows, knowing(made.task, made.labels, members={name: Decision() for name in task.joint.members})
        )
        == [True] * 3
    )
