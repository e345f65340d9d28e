import threading

import numpy as np
import pytest
from sqlalchemy import select
from tests.store.conftest import bytes_of, feedback, prediction

from burnish.store import tables
from burnish.store.corrections import Corrections
from burnish.store.journal import Journal
from burnish.store.predictions import Predictions
from burnish.store.records import Prediction


@pytest.fixture
def predictions(store, audit):
    return Predictions(store, audit)


@pytest.fixture
def corrections(store, audit):
    return Corrections(store, audit)


def ids(found):
    return [one.id for one in found]


def test_a_prediction_comes_back_as_it_was(predictions):
    whole = Prediction(
        "p_1", 1234567890.123456, "intent", 3, "k1", {"text": "退款 \0 \U0001f600", "n": [1, None]}, "d" * 64,
        {"label": "退款", "share": 0.1 + 0.2}, "退款", 0.1 + 0.2, True, True, 12, 34, 0.5, 0.25, 1.75, "canary",
        {"phone": 2}, [0.125, 0.875],
    )  # fmt: skip
    predictions.add([whole, prediction("p_2", input=None, answer=None, label=None, confidence=None)])
    assert predictions.find("p_1") == whole
    assert predictions.find("p_2") == prediction("p_2", input=None, answer=None, label=None, confidence=None)
    assert predictions.find("p_3") is None
    assert predictions.find("p\0\ud800" * 100) is None


def test_what_a_database_cannot_hold_is_replaced(predictions):
    predictions.add([prediction(label="a\0b", input={"text": "x\ud800"}, vector=np.array([0.5]))])
    found = predictions.find("p_1")
    assert (found.label, found.input, found.vector) == ("a\ufffdb", {"text": "x\ufffd"}, [0.5])


def test_the_same_prediction_again_counts_once_and_changes_nothing(predictions):
    predictions.add([prediction(label="first")])
    predictions.add([prediction(label="second"), prediction("p_2")])
    predictions.add([])
    assert predictions.find("p_1").label == "first"
    assert ids(predictions.of_period("intent")) == ["p_1", "p_2"]


def test_more_than_one_statement_holds_are_all_written(predictions):
    many = [prediction(f"p_{n:04}") for n in range(1201)]
    predictions.add(many)
    assert ids(predictions.of_period("intent")) == ids(many)
    assert predictions.answered_in(["p_0000", "none", "p_1200"]) == {"p_0000": many[0], "p_1200": many[1200]}
    assert len(predictions.answered_in(ids(many))) == 1201
    assert predictions.answered_in([]) == {}


def test_those_of_a_period_come_oldest_first_with_its_start_and_without_its_end(predictions):
    predictions.add([prediction(f"p_{at}", at=float(at)) for at in (3, 1, 2, 4)])
    predictions.add([prediction("p_other", at=2.0, name="other"), prediction("p_shadow", at=2.0, traffic="shadow")])
    assert ids(predictions.of_period("intent")) == ["p_1", "p_2", "p_3", "p_4"]
    assert ids(predictions.of_period("intent", 2.0, 4.0)) == ["p_2", "p_3"]
    assert ids(predictions.of_period("intent", 2.0, 3.0, traffic=None)) == ["p_2", "p_shadow"]
    assert ids(predictions.of_period("intent", traffic="shadow")) == ["p_shadow"]
    assert ids(predictions.of_period("nobody")) == []


def test_a_period_is_read_as_it_is_taken_and_beside_writers(predictions):
    predictions.add([prediction(f"p_{n:04}") for n in range(1100)])
    found = predictions.of_period("intent")
    assert next(found).id == "p_0000"
    predictions.add([prediction("p_9999")])
    assert len(list(found)) == 1099
    half = predictions.of_period("intent")
    next(half)
    half.close()


def test_what_a_key_had_answered_is_counted_but_for_shadows(predictions):
    predictions.add([prediction(f"p_{at}", at=float(at)) for at in (1, 2, 3)])
    predictions.add([prediction("p_s", at=3.0, traffic="shadow"), prediction("p_c", at=3.0, traffic="canary")])
    predictions.add([prediction("p_k", at=3.0, key="k2")])
    assert predictions.count_of("k1", 0.0) == 4
    assert predictions.count_of("k1", 2.0) == 3
    assert predictions.count_of("k3", 0.0) == 0


@pytest.mark.parametrize(("asked", "about"), [({"key": "k1"}, "key k1"), ({"input_digest": "d1"}, "one input")])
def test_what_is_erased_is_gone_with_the_feedback_on_it(predictions, corrections, audit, asked, about):
    predictions.add([prediction(f"p_{n}") for n in range(3)])
    predictions.add([prediction("p_9", key="k9", input_digest="d9")])
    corrections.add([feedback("f_1", prediction="p_1"), feedback("f_9", prediction="p_9")], None, "")
    assert predictions.erase("user ann", **asked) == 3
    assert ids(predictions.of_period("intent")) == ["p_9"]
    assert ids(corrections.of_period("intent")) == ["f_9"]
    assert predictions.erase("user ann", **asked) == 0
    [line] = audit.entries()
    assert (line.who, line.what, line.about, line.detail) == ("user ann", "erased", about, {"predictions": 3})


@pytest.mark.parametrize("asked", [{}, {"key": "k1", "input_digest": "d1"}])
def test_one_of_key_and_input_is_erased(predictions, asked):
    predictions.add([prediction()])
    with pytest.raises(ValueError, match=r"^say what is to be erased: a key, or an input\.$"):
        predictions.erase("ann", **asked)
    assert predictions.find("p_1") is not None


def test_nothing_of_what_was_erased_is_on_disk(predictions, corrections, store):
    predictions.add(
        [prediction(input={"text": "canary-input 金丝雀"}), prediction("p_2", key="k2", input={"text": "stays"})]
    )
    corrections.add([feedback(comment="canary-comment")], None, "{}")
    if store.is_sqlite:
        assert b"canary-input" in bytes_of(store)
    predictions.erase("ann", key="k1")
    if store.is_sqlite:
        on_disk = bytes_of(store)
        assert "金丝雀".encode() not in on_disk
        assert b"canary" not in on_disk
        assert b"stays" in on_disk


@pytest.mark.parametrize("asked", [{"key": "k1"}, {"input_digest": "d1"}])
def test_a_journal_that_still_holds_it_does_not_bring_it_back(predictions, tmp_path, asked):
    """One process moves the lines of another that lives on, and erases; later the other moves them itself."""
    living, other = (Journal(tmp_path / "journal", predictions.add) for _ in range(2))
    living.add([prediction("p_1"), prediction("p_2", key="k2", input_digest="d2")])
    assert other.flush(of_others=True) == 2
    assert predictions.erase("ann", **asked) == 1
    assert living.flush() == 2
    assert ids(predictions.of_period("intent")) == ["p_2"]
    living.close()
    other.close()


def test_what_comes_after_an_erasure_is_kept(predictions):
    predictions.add([prediction()])
    predictions.erase("ann", key="k1")
    predictions.erase("ann", input_digest="d1")
    predictions.add([prediction("p_late", at=9e9), prediction("p_early")])
    assert ids(predictions.of_period("intent")) == ["p_late"]
    predictions.erase("ann", key="k1")  # what is stamped later than now was not meant
    assert ids(predictions.of_period("intent")) == ["p_late"]


def test_what_is_old_and_was_not_corrected_is_purged(predictions, corrections, audit):
    predictions.add([prediction(f"p_{at}", at=float(at)) for at in (1, 2, 3)])
    corrections.add([feedback(prediction="p_1")], None, "")
    assert predictions.purge(3.0, "worker") == 1
    assert ids(predictions.of_period("intent")) == ["p_1", "p_3"]
    assert predictions.purge(3.0, "worker") == 0
    [line] = audit.entries()
    assert (line.who, line.what, line.about, line.detail) == ("worker", "purged", "before 3", {"predictions": 1})


def test_a_purge_ends_what_an_erasure_had_to_leave_to_a_reader(predictions, store, monkeypatch):
    monkeypatch.setattr("burnish.store.sqlite.READERS_WAIT_MS", 10)
    predictions.add([prediction("p_1", input={"text": "canary 金丝雀"})])
    with store.reading() as connection:
        connection.execute(select(tables.predictions)).all()
        predictions.erase("ann", key=prediction().key)
    if store.is_sqlite:
        assert b"canary" in bytes_of(store)
    predictions.purge(0.0, "worker")
    if store.is_sqlite:
        assert b"canary" not in bytes_of(store)


def test_a_purge_forgets_erasures_that_nothing_can_undo_any_more(predictions, store):
    from burnish.store.tables import erasures

    predictions.erase("ann", key="k1")
    for before, n_left in ((1.0, 1), (9e9, 0)):
        predictions.purge(before, "worker")
        with store.reading() as connection:
            assert len(connection.execute(erasures.select()).all()) == n_left


def test_a_large_deletion_goes_in_pieces(predictions, audit, monkeypatch):
    monkeypatch.setattr("burnish.store.predictions.DELETED_AT_ONCE", 100)
    predictions.add([prediction(f"p_{n:03}") for n in range(250)])
    assert predictions.purge(1e9, "worker") == 250
    assert [line.detail["predictions"] for line in audit.entries()] == [100, 100, 50]
    assert predictions.count_of("k1", 0.0) == 0


def test_two_that_add_and_one_that_erases_leave_nothing_of_what_was_erased(predictions):
    def add(start):
        for n in range(20):
            predictions.add([prediction(f"p_{start + n}", key="gone"), prediction(f"s_{start + n}", key="stays")])

    threads = [threading.Thread(target=add, args=(start,)) for start in (0, 100)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        predictions.erase("ann", key="gone")
    for thread in threads:
        thread.join()
    assert predictions.count_of("gone", 0.0) == 0
    assert predictions.count_of("stays", 0.0) == 40


def test_vectors_are_put_to_predictions_by_id_and_to_no_others(predictions):
    predictions.add([prediction("p_1", vector=None), prediction("p_2", vector=None)])
    predictions.put_vectors({"p_1": (0.25, 0.75), "p_9": (1.0,)})
    assert predictions.find("p_1").vector == [0.25, 0.75]
    assert predictions.find("p_2").vector is None
