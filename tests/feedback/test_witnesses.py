import numpy as np
import pytest
from tests.feedback.crowd import opinion

from burnish.feedback.rules import Known
from burnish.feedback.witnesses import ROWS_AT_ONCE, hear

EAST, NORTH, NEARLY_EAST = [1.0, 0.0], [0.0, 2.0], [3.0, 0.3]


def voices_of_first(batch, earlier=(), known=None, nearness=0.9):
    """User → share that backs the first opinion of the batch."""
    voices = hear(batch, earlier, known, nearness)
    who, backing = voices.heard[0]
    return {voices.users[user]: share for user, share in zip(who.tolist(), backing.tolist(), strict=True)}


def test_who_spoke_of_the_same_input_is_heard_whatever_its_vector():
    batch = [opinion("ann", "b", item="x", number=0), opinion("bob", "b", item="x", number=1),
             opinion("cat", "c", item="x", number=2), opinion("dan", "b", item="y", number=3)]  # fmt: skip
    assert voices_of_first(batch) == {"bob": 1.0, "cat": 0.0}


def test_who_says_that_the_answer_is_wrong_backs_every_other_gold():
    batch = [opinion("ann", "b", item="x", number=0), opinion("bob", None, "a", item="x", number=1),
             opinion("cat", None, "b", item="x", number=2), opinion("dan", None, None, item="x", number=3)]  # fmt: skip
    assert voices_of_first(batch) == {"bob": 1.0, "cat": 0.0}


def test_who_gives_another_label_backs_that_the_answer_is_wrong():
    """Four users correct a to b, two say that a is wrong: of each of the six the five others say so too."""
    batch = [opinion(f"u{number}", "b", "a", item="x", number=number) for number in range(4)]
    batch += [opinion(user, None, "a", item="x", number=number) for number, user in enumerate(["eve", "fay"], 4)]
    voices = hear(batch, (), None, 0.9)
    support, n_witnesses = voices.support(np.ones(len(voices.users)))
    assert (support.tolist(), n_witnesses.tolist()) == ([1.0] * 6, [5] * 6)


def test_who_takes_the_answer_for_right_does_not_back_that_it_is_wrong():
    batch = [opinion("ann", None, "a", item="x", number=0), opinion("bob", "a", "a", item="x", number=1),
             opinion("cat", "b", "a", item="x", number=2), opinion("dan", None, "b", item="x", number=3),
             opinion("eve", "a", "b", item="x", number=4)]  # fmt: skip
    assert voices_of_first(batch) == {"bob": 0.0, "cat": 1.0, "dan": 1.0, "eve": 0.0}


def test_what_says_nothing_that_can_be_compared_is_judged_by_nobody():
    batch = [opinion("ann", None, None, item="x", number=0), opinion("bob", "b", item="x", number=1),
             opinion("cat", None, "a", item="x", number=2)]  # fmt: skip
    assert voices_of_first(batch) == {}


def test_of_near_inputs_each_user_has_one_voice_the_mean_of_his():
    batch = [
        opinion("ann", "b", item="1", number=0, vector=EAST),
        opinion("bob", "b", item="2", number=1, vector=NEARLY_EAST),
        opinion("bob", "c", item="3", number=2, vector=EAST),
        opinion("bob", "c", item="4", number=3, vector=EAST),
        opinion("cat", "b", item="5", number=4, vector=NORTH),
        opinion("dan", "b", item="6", number=5),
        opinion("ann", "b", item="7", number=6, vector=EAST),
    ]
    assert voices_of_first(batch) == {"bob": pytest.approx(1 / 3)}
    assert voices_of_first(batch, nearness=0.999) == {"bob": 0.0}


def test_what_was_accepted_before_is_heard_and_not_judged():
    batch = [opinion("ann", "b", item="1", number=0, vector=EAST)]
    earlier = [opinion("bob", "c", item="2", number=1, vector=EAST)]
    assert voices_of_first(batch, earlier) == {"bob": 0.0}
    assert len(hear(batch, earlier, None, 0.9).heard) == 1


def test_known_labels_near_by_speak_as_one():
    batch = [opinion("ann", "b", item="1", number=0, vector=EAST)]
    known = Known(np.array([[1.0, 0.1], [1.0, -0.1], [0.0, 1.0]]), ["b", "c", "c"])
    assert voices_of_first(batch, known=known) == {"": 0.5}
    wider = Known(np.array([[1.0, 0.1, 0.0]]), ["b"])  # a label that came later has a probability of its own
    assert voices_of_first(batch, known=wider) == {"": 1.0}


def test_what_does_not_mean_the_same_elsewhere_is_heard_of_the_same_input_only():
    spans = frozenset({(0, 2, "PER")})
    batch = [
        opinion(user, spans, item=item, number=i, vector=EAST, form="spans")
        for i, (user, item) in enumerate([("ann", "x"), ("bob", "x"), ("cat", "y")])
    ]
    assert voices_of_first(batch) == {"bob": 1.0}
    assert voices_of_first(batch, known=Known(np.array([EAST]), ["PER"])) == {"bob": 1.0}


def test_many_opinions_are_heard_in_pieces_alike():
    n = ROWS_AT_ONCE + 50
    batch = [opinion(f"u{i}", "b" if i % 2 else "c", item=str(i), number=i, vector=EAST) for i in range(n)]
    voices = hear(batch, (), None, 0.9)
    support, n_witnesses = voices.support(np.ones(len(voices.users)))
    assert set(n_witnesses.tolist()) == {n - 1}
    assert support[0] == pytest.approx((n / 2 - 1) / (n - 1))
    assert support[n - 1] == pytest.approx((n / 2 - 1) / (n - 1))


def test_support_is_weighed_and_who_has_no_weight_is_no_witness():
    batch = [opinion("ann", "b", item="x", number=0), opinion("bob", "b", item="x", number=1),
             opinion("cat", "c", item="x", number=2), opinion("dan", "c", item="x", number=3)]  # fmt: skip
    voices = hear(batch, (), None, 0.9)
    weights = {"bob": 0.9, "cat": 0.3, "dan": 0.0}
    support, n_witnesses = voices.support(np.array([weights.get(user, 1.0) for user in voices.users]))
    assert (support[0], n_witnesses[0]) == (pytest.approx(0.75), 2)
    assert voices.support(np.zeros(len(voices.users)))[0][0] == 0.0
