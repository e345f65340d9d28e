"""Measuring: what is timed, and what is not."""

import pytest

from burnish.bundle.bundle import Knowledge
from burnish.bundle.predictor import Predictor
from burnish.compression import measuring
from burnish.compression.measuring import N_SINGLE, ROUNDS, measure, size_bytes
from burnish.core.shelves import Shelf
from burnish.models.tokenizer import load_tokenizer
from burnish.tasks._contract import Decision


class Clock:
    """A second a look, so that the numbers are those of calls and not of this machine."""

    def __init__(self):
        self.now = 0.0

    def perf_counter(self):
        self.now += 1.0
        return self.now


class Counting:
    """A core that gives the same logits to all, and remembers how many it was asked at once."""

    def __init__(self):
        self.asked = []

    def run(self, features):
        import numpy as np

        self.asked.append([feature["input_ids"].tolist() for feature in features])
        return [np.zeros(2, np.float32)] * len(features)


@pytest.fixture
def predictor(tiny_base):
    task = Shelf("tasks").build("classification")
    tokenizer = load_tokenizer(tiny_base)
    return Predictor(Knowledge(task, ("a", "b"), Decision(), tokenizer.max_length, "tiny"), tokenizer, Counting())


def test_many_at_once_and_then_each_alone_after_one_round_that_does_not_count(predictor, monkeypatch):
    """With a second between two looks at the clock every round and every single answer takes one second: 10 texts a
    second, 1,000 ms.
    """
    monkeypatch.setattr(measuring, "time", Clock())
    monkeypatch.setattr(measuring, "LONGEST_S", 1e6)
    examples = [predictor.task.read({"text": f"good {at}"}, False) for at in range(10)]
    speed = measure(predictor, examples)
    assert speed.texts_per_s == 10.0
    assert (speed.median_ms, speed.p99_ms) == (1000.0, 1000.0)
    sizes = [len(batch) for batch in predictor.core.asked]
    assert sizes[: 1 + ROUNDS] == [10] * (1 + ROUNDS)
    assert sizes[1 + ROUNDS :] == [1] * 2 * N_SINGLE, "each once to warm up and once for the clock"


def test_what_takes_long_is_asked_less_often_and_all_over_the_texts(predictor, monkeypatch):
    """A second between two looks at the clock: a round is over after 3 s and no other is begun; of 200 texts alone one
    second each, 7 are asked before 7 s are over.
    """
    monkeypatch.setattr(measuring, "time", Clock())
    monkeypatch.setattr(measuring, "LONGEST_S", 2.5)
    monkeypatch.setattr(measuring, "LEAST_SINGLE", 7)
    examples = [predictor.task.read({"text": "a " * (1 + at % 40)}, False) for at in range(200)]
    speed = measure(predictor, examples)
    assert (speed.texts_per_s, speed.median_ms) == (200.0, 1000.0)
    sizes = [len(batch) for batch in predictor.core.asked]
    assert sizes == [200, 200, *[1] * 14], "one round to warm up and one that counts; seven texts twice"
    alone = [len(batch[0]) - 3 for batch in predictor.core.asked[-7:]]
    assert alone == [n * 123 % 200 % 40 for n in range(7)]


def test_texts_asked_alone_are_spread_over_all_of_them(predictor):
    examples = [predictor.task.read({"text": "a " * (1 + at % 40)}, False) for at in range(400)]
    measure(predictor, examples)
    alone = [len(batch[0]) for batch in predictor.core.asked if len(batch) == 1]
    assert {length - 2 for length in alone} == set(range(1, 41, 2)), "every second of the 400"


def test_one_text_can_be_measured(predictor):
    speed = measure(predictor, [predictor.task.read({"text": "good"}, False)])
    assert speed.texts_per_s > 0
    assert speed.p99_ms >= speed.median_ms > 0


def test_size_counts_the_files_of_every_folder_below(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "deep" / "deeper").mkdir(parents=True)
    (tmp_path / "deep" / "deeper" / "b").write_bytes(b"4567")
    assert size_bytes(tmp_path) == 7
