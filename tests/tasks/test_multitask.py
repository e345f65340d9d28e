"""Several tasks on one trunk: who reads what, one reading for all, and how often each task is seen."""

import numpy as np
import pytest
import torch

from burnish.bundle.torch_core import TorchCore
from burnish.core.errors import UserError
from burnish.core.shelves import Shelf
from burnish.data.features import kind_of
from burnish.tasks._contract import Answered, Decision
from burnish.tasks._sampling import quotas, window

MOOD, PLACES = {"task": "classification"}, {"task": "tokens"}
ALIKE = {"task": "matching", "texts": ["text", "text_pair"]}
LABELS = ("mood/bad", "mood/good", "places/DAY", "places/PLACE")
LONG = "good 北京 day so bad a day " * 20


def multitask(**tasks):
    return Shelf("tasks").build({"name": "multitask", "tasks": tasks or {"mood": MOOD, "places": PLACES}})


class Asked:
    """A task on the tiny base, and what it makes of examples."""

    def __init__(self, task, base, labels=LABELS):
        self.task, self.labels = task, labels
        self.reader = task.load_reader(base, None, "")
        with torch.random.fork_rng():
            torch.manual_seed(1)
            self.network = task.head_part.attach(base, task.head_plan(labels))
        self.core = TorchCore(self.network, task, self.reader.pad_id, len(labels))

    def answered(self, *rows, is_labelled=False):
        examples = [self.task.read(row, is_labelled) for row in rows]
        encoded = self.task.encode(examples, self.reader, self.labels)
        return [
            Answered(e, one.features, self.core.run(one.features)) for e, one in zip(examples, encoded, strict=True)
        ]

    def answers(self, *rows):
        return self.task.decode(self.answered(*rows), self.labels, Decision())


def test_a_text_is_read_once_for_all_tasks(tiny_base):
    [row] = Asked(multitask(), tiny_base).answered({"text": "good 北京 day"})
    assert len(row.features) == 1
    assert kind_of(row.features[0]) == 0b11


@pytest.mark.parametrize("text", ["good 北京 day", LONG])
def test_one_reading_for_all_gives_each_task_the_outputs_of_a_reading_of_its_own(text, tiny_base):
    asked = Asked(multitask(), tiny_base)
    [both] = asked.answered({"text": text})
    alone = [{"task": "mood", "text": text, "label": "bad"}, {"task": "places", "text": text, "spans": []}]
    for name, row in zip(("mood", "places"), alone, strict=True):
        [one] = asked.answered(row, is_labelled=True)
        [of_both] = asked.task.answered_by(name, [both], LABELS)
        [of_one] = asked.task.answered_by(name, [one], LABELS)
        assert len(of_both.outputs) == len(of_one.outputs)
        for found, wanted in zip(of_both.outputs, of_one.outputs, strict=True):
            np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_a_long_text_is_cut_for_one_task_and_read_in_windows_by_the_other_sharing_the_first(tiny_base):
    [row] = Asked(multitask(), tiny_base).answered({"text": LONG})
    kinds = [kind_of(feature) for feature in row.features]
    assert kinds[0] == 0b11
    assert set(kinds[1:]) == {0b10}


def test_windows_that_hold_the_same_tokens_stay_apart(tiny_base):
    asked = Asked(multitask(mood=MOOD, places=PLACES), tiny_base)
    [row] = asked.answered({"text": "a " * 300})
    [places] = asked.task.answered_by("places", [row], LABELS)
    words = np.concatenate([feature["word"][feature["word"] >= 0] for feature in places.features])
    assert words.tolist() == list(range(300))


def test_an_input_is_answered_by_the_tasks_whose_columns_it_has(tiny_base):
    asked = Asked(multitask(mood=MOOD, alike=ALIKE), tiny_base, ("mood/bad", "mood/good"))
    text, pair, neither = {"text": "so bad"}, {"text": "so bad", "text_pair": "a day"}, {"text_pair": "a day"}
    one, two = asked.answers(text, pair)
    assert (one.alike, one.mood.label) == (None, two.mood.label)
    assert one.mood.confidence == pytest.approx(two.mood.confidence, abs=1e-4)
    assert 0 <= two.alike.score <= 1
    with pytest.raises(
        ValueError, match=r"^no task can be answered from text_pair: mood reads text; alike reads text, text_pair\.$"
    ):
        asked.task.read(neither, is_labelled=False)
    with pytest.raises(ValueError, match=r"^no task can be answered from an empty row: "):
        asked.task.read({"text": float("nan")}, is_labelled=False)


def test_words_stand_for_a_text_where_a_task_reads_them(tiny_base):
    asked = Asked(multitask(), tiny_base)
    [answer] = asked.answers({"tokens": ["so", "bad"]})
    assert answer.mood is None
    assert answer.places is not None


def test_a_labelled_row_must_name_its_task():
    with pytest.raises(
        ValueError, match=r"^'task' must name the task that the row is for: mood, places; got 'moods'\.$"
    ):
        multitask().read({"task": "moods", "text": "a"}, is_labelled=True)


def test_all_tasks_read_chinese_as_the_one_that_needs_it_most(tiny_base):
    split = multitask().load_reader(tiny_base, None, "")
    whole = multitask(mood=MOOD, other=MOOD).load_reader(tiny_base, None, "")
    for reader, is_split in ((split, True), (whole, False)):
        assert ("Split" in reader.backend.pre_tokenizer.__repr__()) == is_split


def test_class_weights_reach_the_outputs_of_their_own_task(tiny_base):
    asked = Asked(multitask(), tiny_base)
    n_outputs = len(asked.task.head_plan(LABELS).labels)
    row = {"task": "places", "text": "good 北京 day", "spans": [[5, 7, "PLACE"]]}
    features = asked.answered(row, is_labelled=True)[0].features
    batch = asked.task.collate(features, 0, len(LABELS)).to("cpu")
    logits = asked.network.eval()(**batch.inputs).detach()
    plain = asked.task.loss(logits, batch, torch.ones(n_outputs), 0.0)
    of_other = asked.task.loss(logits, batch, torch.tensor([9.0, 9.0] + [1.0] * (n_outputs - 2)), 0.0)
    of_own = asked.task.loss(logits, batch, torch.tensor([1.0, 1.0] + [9.0] * (n_outputs - 2)), 0.0)
    assert plain == of_other != of_own


def test_a_tasks_weight_multiplies_its_loss(tiny_base):
    row = {"task": "mood", "text": "good", "label": "bad"}
    losses = []
    for weight in (1.0, 3.0):
        asked = Asked(multitask(mood={**MOOD, "weight": weight}, places=PLACES), tiny_base)
        batch = asked.task.collate(asked.answered(row, is_labelled=True)[0].features, 0, len(LABELS)).to("cpu")
        losses.append(float(asked.task.loss(asked.network.eval()(**batch.inputs), batch, None, 0.0).detach()))
    assert losses[1] == pytest.approx(3 * losses[0], rel=1e-5)


# How often each task is seen.


@pytest.mark.parametrize(
    ("sampling", "temperature", "expected"),
    [
        ("proportional", 2.0, [100, 400]),
        ("even", 2.0, [250, 250]),
        ("temperature", 1.0, [100, 400]),
        ("temperature", 2.0, [167, 333]),  # 10 : 20 of 500
        ("temperature", 1e9, [250, 250]),
    ],
)
def test_shares_of_an_epoch(sampling, temperature, expected):
    assert quotas(np.array([100, 400]), sampling, temperature).tolist() == expected


def test_the_smallest_task_is_seen_at_all():
    assert quotas(np.array([1, 100_000]), "proportional", 2.0)[0] == 1


@pytest.mark.parametrize(("n", "quota"), [(10, 3), (10, 25), (7, 7)])
def test_no_row_is_seen_again_before_all_are_seen(n, quota):
    epochs = [window(n, quota, 7, "mood", epoch) for epoch in range(6)]
    assert all(len(one) == quota for one in epochs)
    walked = np.concatenate(epochs)
    for start in range(0, len(walked) - n + 1, n):
        assert sorted(walked[start : start + n].tolist()) == list(range(n))
    assert window(n, quota, 7, "mood", 4).tolist() == epochs[4].tolist()
    assert np.concatenate([window(n, quota, 8, "mood", epoch) for epoch in range(6)]).tolist() != walked.tolist()


def test_an_epoch_draws_by_the_sampling_and_by_nothing_where_every_row_counts():
    kinds = np.array([1] * 10 + [2] * 40, np.int32)
    settings = {"name": "multitask", "tasks": {"mood": MOOD, "places": PLACES}}
    assert Shelf("tasks").build(settings).drawn(kinds, 7, 0) is None
    drawn = Shelf("tasks").build({**settings, "sampling": "even"}).drawn(kinds, 7, 0)
    assert np.bincount(kinds[drawn]).tolist() == [0, 25, 25]


# What is refused.


@pytest.mark.parametrize(
    ("task", "sentence"),
    [
        ("retrieval", "cannot be 'retrieval', which does more than read a text and answer from a head of its own"),
        ("answers", "cannot be 'answers', which does more than read a text"),
        ("relations", "cannot be 'relations', which does more than read a text"),
        (
            {"name": "matching", "head": "vector"},
            "cannot be 'matching' with the head 'vector', which does not answer from one reading",
        ),
        (
            {"name": "multitask", "tasks": {"a": MOOD, "b": MOOD}},
            "cannot be 'multitask', which does more than read a text",
        ),
    ],
)
def test_a_task_that_cannot_share_is_refused(task, sentence):
    with pytest.raises(ValueError, match=sentence):
        multitask(mood=MOOD, other={"task": task})


@pytest.mark.parametrize(
    ("tasks", "sentence"),
    [
        ({"mood": MOOD}, "tasks must name at least two tasks; got mood. A single one needs no multitask"),
        ({"mo od": MOOD, "b": MOOD}, "has the task 'mo od'; a name is letters, digits, _ and -"),
        ({"a/b": MOOD, "b": MOOD}, "has the task 'a/b'; a name is letters"),
        ({f"t{n}": MOOD for n in range(31)}, "has 31 tasks; at most 30 can share a model"),
        (
            {"a": {**MOOD, "data": {"train": "a.csv", "prompt": "x"}}, "b": MOOD},
            "has prompt, but all tasks share one reading of a text; set data.prompt",
        ),
        (
            {"a": {**MOOD, "data": {"train": "a.csv", "max_length": 32}}, "b": MOOD},
            "has max_length, but all tasks share one reading of a text; set data.max_length",
        ),
    ],
)
def test_tasks_that_cannot_be_are_refused(tasks, sentence):
    with pytest.raises(ValueError, match=sentence):
        multitask(**tasks)


def test_too_many_tasks_beside_those_of_a_bundle_are_refused():
    old, new = (multitask(**{f"{start}{n}": MOOD for n in range(20)}) for start in "ab")
    with pytest.raises(UserError, match="together with those of the bundle there are 40; at most 30 can share a model"):
        old.beside(new)
