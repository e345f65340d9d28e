"""The same input again is answered without the model, and the answers stay what they were."""

import threading

import numpy as np
import pytest
from tests.bundle.conftest import write_bundle

import burnish
from burnish.bundle.memory import Memory
from burnish.bundle.predictor import Predictor, load_predictor
from burnish.core.errors import UserError
from burnish.core.manifest import write_manifest


@pytest.fixture(scope="module")
def plain(tmp_path_factory, tiny_base):
    return load_predictor(write_bundle(tmp_path_factory.mktemp("memory"), tiny_base))


@pytest.fixture
def bundle(tmp_path, tiny_base):
    """A bundle whose recipe names columns, as those that `fit` writes do."""
    folder = write_bundle(tmp_path / "bundle", tiny_base)
    (folder / "recipe.yaml").write_text("task: classification\ndata: {columns: {}}\n")
    write_manifest(folder)
    return folder


def counted(memory):
    return memory.hits, memory.misses


class CountingCore:
    """Takes the place of the network and counts the texts that reach it."""

    def __init__(self):
        self.n_texts = 0

    def run(self, features):
        self.n_texts += len(features)
        return [np.asarray([0.0, len(feature["input_ids"])], np.float32) for feature in features]


def counting(plain, size):
    core = CountingCore()
    return Predictor(plain.knowledge, plain.reader, core, Memory(size)), core


def test_answers_are_the_same_with_a_memory_and_without(plain):
    texts = ["good day", "so bad", "good day", "中国", "", "good day"]
    remembering = plain.remembering(10)
    for _ in range(2):
        asked, wanted = list(remembering.predict(texts)), list(plain.predict(texts))
        assert [one.label for one in asked] == [one.label for one in wanted]
        assert [one.confidence for one in asked] == pytest.approx([one.confidence for one in wanted], abs=1e-5)
    assert remembering("so bad") == next(remembering.predict(["so bad"]))


def test_a_text_reaches_the_model_once_and_hits_are_counted(plain):
    predictor, core = counting(plain, 10)
    list(predictor.predict(["a", "b", "a"]))
    assert (core.n_texts, counted(predictor.memory)) == (2, (1, 2))
    predictor("b")
    assert (core.n_texts, counted(predictor.memory)) == (2, (2, 2))


def test_the_least_recently_used_answer_goes_first(plain):
    predictor, core = counting(plain, 2)
    for text in ("a", "b", "a", "c", "a", "b"):  # c drives b out, for a was used later
        predictor(text)
    assert (core.n_texts, counted(predictor.memory), len(predictor.memory)) == (4, (2, 4), 2)


def test_every_column_that_the_task_reads_counts(plain):
    predictor, core = counting(plain, 10)
    for row in ({"text": "a"}, {"text": "a", "text_pair": "b"}, {"text": "a", "text_pair": "c"}, {"text": "A"}):
        predictor(row)
    assert core.n_texts == 4
    predictor({"text": "a", "text_pair": "b", "number": 3})  # a column that is not read
    assert (core.n_texts, predictor.memory.hits) == (4, 1)


def test_each_predictor_has_a_memory_of_its_own(plain):
    first, second = plain.remembering(10), plain.remembering(10)
    first("a")
    second("a")
    assert (first.memory.hits, second.memory.hits, plain.memory) == (0, 0, None)


def test_bytes_count_and_what_has_no_exact_form_is_never_kept():
    memory = Memory(10)

    def shown(examples):
        return [repr(one) for one in examples]

    for examples in ([{"bytes": b"a"}], [{"bytes": b"b"}], [{"text": object()}], [{"text": object()}]):
        assert list(memory.through(examples, shown)) == shown(examples)
    assert (counted(memory), len(memory)) == ((0, 4), 2)


def test_threads_may_share_a_memory():
    memory = Memory(7)

    def ask(start):
        for number in range(500):
            text = str((start + number) % 20)
            [answer] = memory.through([{"text": text}], lambda examples: [one["text"] for one in examples])
            found.append(answer == text)

    found = []
    threads = [threading.Thread(target=ask, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), all(found)) == (2000, True)
    assert (memory.hits + memory.misses, len(memory)) == (2000, 7)


def test_load_remembers_only_when_asked(bundle):
    assert burnish.load(bundle).memory is None
    predictor = burnish.load(bundle, cache=3)
    assert (predictor("a"), predictor.memory.size) == (predictor("a"), 3)
    assert counted(predictor.memory) == (1, 1)


def test_a_bundle_that_is_loaded_again_has_forgotten_all(bundle):
    burnish.load(bundle, cache=3)("a")
    assert len(burnish.load(bundle, cache=3).memory) == 0


def test_a_base_that_answers_as_it_is_remembers_too(tiny_base):
    predictor = burnish.load(tiny_base, "classification", labels=["good", "bad"], cache=3)
    assert predictor("a") == predictor("a")
    assert counted(predictor.memory) == (1, 1)


@pytest.mark.parametrize("size", [0, -1])
def test_a_memory_without_room_is_refused(plain, size):
    with pytest.raises(ValueError, match=f"^a memory has room for at least one answer; got {size}.$"):
        plain.remembering(size)


def test_a_negative_cache_is_refused(bundle):
    with pytest.raises(ValueError, match=r"^a memory has room for at least one answer; got -3.$"):
        burnish.load(bundle, cache=-3)


def test_a_bundle_is_still_refused_what_it_cannot_take(bundle):
    with pytest.raises(UserError, match="is a bundle, which answers as it was made"):
        burnish.load(bundle, labels=["a"], cache=3)
