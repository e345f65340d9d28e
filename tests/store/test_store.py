import threading
import time

import pytest
from tests.store.conftest import bytes_of

from burnish.core.errors import UserError
from burnish.store.faults import StoreUnavailable
from burnish.store.states import put_state, read_state
from burnish.store.store import SQLITE, Store, open_store, sqlite_module


def put(store, name, value):
    with store.writing() as connection:
        put_state(connection, name, value)


def read(store, name):
    with store.reading() as connection:
        return read_state(connection, name)


def test_a_store_says_what_it_is(store, url):
    assert store.is_sqlite == url.startswith(SQLITE)


def test_what_was_written_is_there_when_it_is_opened_again(store, url):
    put(store, "a", "中")
    store.close()
    again = open_store(url)
    assert read(again, "a") == "中"
    again.close()


def test_a_block_that_raises_writes_nothing(store):
    def write_and_fail():
        with store.writing() as connection:
            put_state(connection, "a", 2)
            raise ZeroDivisionError

    put(store, "a", 1)
    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert read(store, "a") == 1
    put(store, "a", 3)
    assert read(store, "a") == 3


def test_reading_sees_one_moment(store):
    put(store, "a", 1)
    with store.reading() as connection:
        assert read_state(connection, "a") == 1
        put(store, "a", 2)
        assert read_state(connection, "a") == 1
    assert read(store, "a") == 2


def test_reading_cannot_write(store):
    with pytest.raises(StoreUnavailable, match=r"the database does not answer \(.*read-?only"), store.reading() as one:
        put_state(one, "a", 1)
    assert read(store, "a") is None


def test_writers_of_several_threads_lose_nothing(store):
    put(store, "n", 0)

    def count():
        for _ in range(10):
            with store.writing() as connection:
                store.take_turns(connection, "count")
                put_state(connection, "n", read_state(connection, "n") + 1)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(store, "n") == 40


def test_turns_that_are_shared_wait_for_those_that_are_not_only(store):
    if store.is_sqlite:
        pytest.skip("writers of SQLite are alone anyway")
    done = []

    def shared():
        with store.writing() as connection:
            store.take_turns(connection, "a", is_shared=True)
            done.append(1)

    thread = threading.Thread(target=shared)
    with store.writing() as connection:
        store.take_turns(connection, "a", is_shared=True)
        other = threading.Thread(target=shared)
        other.start()
        other.join()
    assert done == [1]
    with store.writing() as connection:
        store.take_turns(connection, "a")
        thread.start()
        thread.join(0.2)
        assert done == [1]
    thread.join()
    assert done == [1, 1]


def test_writing_inside_of_writing_is_given_up(store, small_waits):
    if not store.is_sqlite:
        pytest.skip("PostgreSQL lets two transactions write other rows at once")
    started = time.monotonic()
    with (
        pytest.raises(StoreUnavailable, match=r"^another write of this process takes too long\.$"),
        store.writing(),
        store.writing(),
    ):
        pass
    assert time.monotonic() - started < 5
    put(store, "a", 1)


def test_what_was_deleted_is_not_on_disk_once_it_settled(store):
    put(store, "a", "canary 金丝雀")
    store.settle()
    if store.is_sqlite:
        assert b"canary" in bytes_of(store)
    put(store, "a", "")
    store.settle()
    if store.is_sqlite:
        assert b"canary" not in bytes_of(store)
    assert read(store, "a") == ""


def test_a_store_settles_beside_a_reader(store, monkeypatch):
    monkeypatch.setattr("burnish.store.sqlite.READERS_WAIT_MS", 10)
    put(store, "a", 1)
    with store.reading() as connection:
        assert read_state(connection, "a") == 1
        put(store, "a", 2)
        store.settle()
        assert read_state(connection, "a") == 1
    assert read(store, "a") == 2


@pytest.mark.parametrize("url", ["mysql://root:hunter2@host/db", "sqlite://", "", "root:hunter2@host", "oracle:x"])
def test_an_unknown_kind_of_database_is_told_without_its_password(url):
    kind = url.split("://")[0] + "://…" if "://" in url else "…"
    with pytest.raises(UserError) as caught:
        open_store(url)
    assert str(caught.value) == (
        f"the database '{kind}' is of no kind that the store knows; give sqlite:////path/file.db or "
        "postgresql://user@host/database."
    )


def test_closing_beside_a_stuck_writer_and_twice_is_no_fault(tmp_path, small_waits):
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    with store.writing():
        store.close()
    store.close()


def test_a_store_that_cannot_be_upgraded_is_closed(tmp_path, monkeypatch):
    closed = []
    monkeypatch.setattr(Store, "close", lambda self: closed.append(self))
    monkeypatch.setattr("burnish.store.upgrade.revisions", lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        open_store(f"sqlite:///{tmp_path / 'a.db'}")
    assert len(closed) == 1


def test_the_driver_of_sqlite_is_one():
    assert sqlite_module().sqlite_version_info >= (3, 37)


def test_a_disk_that_is_full_costs_nothing_that_was_there_and_works_again(store):
    if not store.is_sqlite:
        pytest.skip("SQLite can be told that its disk is full")

    def write_too_much():
        with store.writing() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count=1")  # no page more than there are
            put_state(connection, "a", 2)
            put_state(connection, "b", "x" * 100_000)

    put(store, "a", 1)
    with pytest.raises(StoreUnavailable, match=r"does not answer \(database or disk is full\)\.$"):
        write_too_much()
    assert read(store, "a") == 1
    store.close()  # room again
    put(store, "b", "x" * 100_000)
    assert len(read(store, "b")) == 100_000
