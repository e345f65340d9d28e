import errno
import os
import signal
import subprocess
import sys
import threading

import orjson
import pytest
from tests.store.conftest import prediction

from burnish.store.faults import StoreUnavailable, ValueRefused
from burnish.store.journal import Journal
from burnish.store.predictions import Predictions


class Sink:
    """A database in a list, which can be away."""

    def __init__(self):
        self.kept = {}
        self.calls = []
        self.is_away = False

    def __call__(self, records):
        if self.is_away:
            raise StoreUnavailable("the database does not answer.")
        self.calls.append(len(records))
        for record in records:
            if record.label == "refused":
                raise ValueRefused("the database cannot hold a value.")
        for record in records:
            self.kept.setdefault(record.id, record)


@pytest.fixture
def sink():
    return Sink()


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "home" / "journal"


@pytest.fixture
def journal(folder, sink):
    made = Journal(folder, sink)
    yield made
    sink.is_away = False
    made.close()


def files(folder):
    return sorted(folder.glob("*.jsonl"))


def killed(folder, *identities, rest=b""):
    """What a process that was killed leaves: lines, of which the last may be half written."""
    file = folder / f"{len(files(folder)):032}.jsonl"
    lines = b"".join(orjson.dumps(prediction(one), option=orjson.OPT_APPEND_NEWLINE) for one in identities)
    file.write_bytes(lines + rest)
    return file


def test_lines_are_moved_as_they_were(journal, sink):
    made = [prediction("p_1", input={"text": "退款 \0"}, vector=[0.5, 0.25]), prediction("p_2", private={"phone": 1})]
    journal.add(made)
    assert sink.kept == {}
    assert journal.flush() == 2
    assert sink.kept == {one.id: one for one in made}
    assert journal.flush() == 0
    journal.add([])
    assert journal.flush() == 0


def test_lines_are_moved_into_each_database(store, audit, folder):
    predictions = Predictions(store, audit)
    journal = Journal(folder, predictions.add)
    journal.add([prediction(f"p_{n:04}", input={"text": "\ud800"}) for n in range(2100)])
    assert journal.flush() == 2100
    assert predictions.count_of("k1", 0.0) == 2100
    assert predictions.find("p_0000").input == {"text": "\ufffd"}
    journal.close()
    assert files(folder) == []


def test_the_journal_is_its_owners_alone(journal, folder):
    journal.add([prediction()])
    assert folder.stat().st_mode & 0o777 == 0o700
    assert [file.stat().st_mode & 0o777 for file in files(folder)] == [0o600]


def test_a_closed_journal_leaves_no_file(folder, sink):
    journal = Journal(folder, sink)
    journal.close()
    journal.close()
    assert files(folder) == []
    journal = Journal(folder, sink)
    journal.add([prediction()])
    journal.close()
    assert list(sink.kept) == ["p_1"]
    assert files(folder) == []


def test_what_is_added_to_a_closed_journal_is_counted_as_lost(folder, sink):
    journal = Journal(folder, sink)
    journal.close()
    journal.add([prediction(), prediction("p_2")])
    assert journal.n_lost == 2
    assert journal.flush() == 0


def test_lines_wait_while_the_database_is_away(journal, sink, folder):
    sink.is_away = True
    for number in range(5):
        journal.add([prediction(f"p_{number}")])
        with pytest.raises(StoreUnavailable):
            journal.flush()
    assert len(files(folder)) == 2  # one that waits and one that is written: not one for each try
    sink.is_away = False
    assert journal.flush() == 5
    assert sorted(sink.kept) == [f"p_{number}" for number in range(5)]
    assert journal.n_lost == 0


def test_what_cannot_be_moved_at_the_end_stays_for_the_next_process(folder, sink):
    journal = Journal(folder, sink)
    journal.add([prediction()])
    sink.is_away = True
    with pytest.raises(StoreUnavailable):
        journal.close()
    sink.is_away = False
    following = Journal(folder, sink)
    assert following.flush() == 1
    following.close()
    assert list(sink.kept) == ["p_1"]


DIE = """
import os, signal, sys
from pathlib import Path
from burnish.store.journal import Journal
from burnish.store.records import Prediction
journal = Journal(Path(sys.argv[1]), lambda records: None)
for n in range(50):
    journal.add([Prediction(f"p_{n:02}", 1.0, "intent", 1, "k1", None, "d", None)])
    print(f"p_{n:02}", flush=True)
os.write(journal._descriptor, b'{"id": "half')
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_lines_of_a_killed_process_are_moved_but_for_the_half_of_one(journal, sink, folder):
    done = subprocess.run([sys.executable, "-c", DIE, str(folder)], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL
    assert journal.flush() == 50
    assert sorted(sink.kept) == done.stdout.split()
    assert journal.n_lost == 0


def test_the_same_lines_moved_twice_count_once(store, audit, folder):
    predictions = Predictions(store, audit)
    folder.mkdir(parents=True)
    killed(folder, "p_1", "p_2")
    killed(folder, "p_2", "p_3", rest=b'{"id"')
    journal = Journal(folder, predictions.add)
    assert journal.flush() == 4
    assert predictions.count_of("k1", 0.0) == 3
    journal.close()


def test_two_processes_in_one_folder_leave_each_other_alone(journal, sink, folder):
    other = Journal(folder, sink)
    journal.add([prediction("p_1")])
    other.add([prediction("p_2")])
    assert journal.flush() == 1
    assert list(sink.kept) == ["p_1"]
    assert other.flush() == 1
    other.close()


def test_the_lines_of_a_living_process_can_be_moved_too_and_stay_its_own(journal, sink, folder):
    other = Journal(folder, sink)
    other.add([prediction("p_2")])
    assert journal.flush(of_others=True) == 1
    assert list(sink.kept) == ["p_2"]
    other.add([prediction("p_3")])
    assert other.flush() == 2
    assert sorted(sink.kept) == ["p_2", "p_3"]
    other.close()


def test_a_file_that_another_process_moved_first_is_no_fault(journal, folder, monkeypatch):
    folder.mkdir(exist_ok=True, parents=True)
    gone = killed(folder, "p_1")
    listed = [gone, *files(folder)]
    gone.unlink()
    monkeypatch.setattr("pathlib.Path.glob", lambda self, pattern: iter(listed))
    assert journal.flush() == 0


def test_a_new_file_is_never_taken_for_that_of_a_dead_process(folder, sink, monkeypatch):
    """Between making a file and locking it another process may see it, find it empty and unlocked, and remove it."""
    made = []
    take = os.open

    def open_and_lose_the_first(path, *settings):
        descriptor = take(path, *settings)
        if str(path).endswith(".jsonl"):
            made.append(path)
            if len(made) == 1:
                os.unlink(path)
        return descriptor

    monkeypatch.setattr("burnish.store.journal.os.open", open_and_lose_the_first)
    journal = Journal(folder, sink)
    journal.add([prediction()])
    assert len(made) == 2
    assert journal.flush() == 1
    journal.close()
    assert list(sink.kept) == ["p_1"]


def test_beyond_its_room_predictions_are_lost_and_counted_and_then_kept_again(folder, sink):
    size = len(orjson.dumps(prediction("p_0"))) + 1
    journal = Journal(folder, sink, most_bytes=3 * size)
    sink.is_away = True
    for number in range(5):
        journal.add([prediction(f"p_{number}")])
    assert journal.n_lost == 2
    sink.is_away = False
    assert journal.flush() == 3
    journal.add([prediction(f"p_{number}") for number in (5, 6, 7)])
    assert journal.flush() == 3
    assert sorted(sink.kept) == ["p_0", "p_1", "p_2", "p_5", "p_6", "p_7"]
    assert journal.n_lost == 2
    journal.close()


def test_what_others_left_takes_up_room_and_what_others_moved_gives_it_back(folder, sink):
    size = len(orjson.dumps(prediction("p_0"))) + 1
    folder.mkdir(parents=True)
    killed(folder, "p_1", "p_2")
    first = Journal(folder, sink, most_bytes=3 * size)
    first.add([prediction("p_3")])
    first.add([prediction("p_4")])
    assert first.n_lost == 1
    second = Journal(folder, sink)
    second.flush()
    first.flush()
    for number in range(10, 30):  # all that is ever written is far more than there is room for at once
        first.add([prediction(f"p_{number}")])
        second.flush(of_others=True)
        first.flush()
    assert first.n_lost == 1
    first.close()
    second.close()


def test_a_disk_that_refuses_costs_what_it_refused_and_nothing_else(journal, sink, monkeypatch):
    journal.add([prediction("p_1")])
    write = os.write

    def half(descriptor, content):
        if len(content) < 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(descriptor, content[: len(content) - 40])

    with monkeypatch.context() as patch:
        patch.setattr("burnish.store.journal.os.write", half)
        journal.add([prediction("p_2"), prediction("p_3")])
    assert journal.n_lost == 2
    journal.add([prediction("p_4")])
    assert journal.flush() == 2
    assert sorted(sink.kept) == ["p_1", "p_4"]


def test_where_no_new_file_can_be_made_the_old_one_goes_on(journal, sink, monkeypatch):
    def refuse(path, *settings):
        raise OSError(errno.EMFILE, "Too many open files")

    journal.add([prediction("p_1")])
    with monkeypatch.context() as patch:
        patch.setattr("burnish.store.journal.os.open", refuse)
        assert journal.flush() == 0
        journal.add([prediction("p_2")])
    assert journal.flush() == 2
    assert journal.n_lost == 0


def test_a_short_write_is_gone_on_with(journal, sink, monkeypatch):
    write = os.write
    with monkeypatch.context() as patch:
        patch.setattr("burnish.store.journal.os.write", lambda descriptor, content: write(descriptor, content[:7]))
        journal.add([prediction("p_1"), prediction("p_2")])
    assert journal.flush() == 2
    assert sorted(sink.kept) == ["p_1", "p_2"]


@pytest.mark.parametrize(
    "damage", [b"\0" * 4096, b"{", b'"text"', b"[1]", b'{"id": "p_9", "of_a_newer": 1}', b"\xff\xfe"]
)
def test_a_damaged_line_is_counted_as_lost_and_holds_up_nothing(journal, sink, folder, damage):
    file = killed(folder, "p_1")
    file.write_bytes(file.read_bytes() + damage + b"\n" + file.read_bytes().replace(b"p_1", b"p_2"))
    assert journal.flush() == 2
    assert sorted(sink.kept) == ["p_1", "p_2"]
    assert journal.n_lost == 1
    assert journal.flush() == 0


def test_a_record_that_the_database_cannot_hold_holds_up_nothing(journal, sink):
    labels = ["a"] * 5 + ["refused"] + ["b"] * 20 + ["refused"]
    journal.add([prediction(f"p_{n:02}", label=label) for n, label in enumerate(labels)])
    journal.flush()
    assert sorted(sink.kept) == [f"p_{n:02}" for n, label in enumerate(labels) if label != "refused"]
    assert journal.n_lost == 2


def test_many_lines_are_moved_in_parts(journal, sink, monkeypatch):
    monkeypatch.setattr("burnish.store.journal.MOVED_AT_ONCE", 100)
    journal.add([prediction(f"p_{n}") for n in range(250)])
    assert journal.flush() == 250
    assert sink.calls == [100, 100, 50]


def test_a_database_that_goes_away_amid_a_file_has_its_lines_once(journal, sink, monkeypatch):
    monkeypatch.setattr("burnish.store.journal.MOVED_AT_ONCE", 10)
    journal.add([prediction(f"p_{n}") for n in range(25)])
    move = sink.__call__

    def once(records):
        move(records)
        sink.is_away = True

    monkeypatch.setattr(journal, "_move", once)
    with pytest.raises(StoreUnavailable):
        journal.flush()
    sink.is_away = False
    monkeypatch.setattr(journal, "_move", move)
    journal.flush()
    assert len(sink.kept) == 25


def test_threads_that_write_while_others_move_lose_nothing(journal, sink):
    def write(start):
        for number in range(200):
            journal.add([prediction(f"p_{start + number}")])

    threads = [threading.Thread(target=write, args=(start,)) for start in (0, 1000, 2000)]
    threads += [threading.Thread(target=lambda: [journal.flush() for _ in range(20)]) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.flush()
    assert len(sink.kept) == 600
    assert journal.n_lost == 0
