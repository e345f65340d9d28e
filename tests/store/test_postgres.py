import threading
import time

import pytest

from burnish.core.errors import UserError
from burnish.store.faults import StoreUnavailable
from burnish.store.patience import PatientConnection
from burnish.store.postgres import unhurried
from burnish.store.states import put_state, read_state
from burnish.store.store import open_store

pytestmark = pytest.mark.postgres


@pytest.fixture
def store(made_url):
    opened = open_store(made_url)
    yield opened
    opened.close()


@pytest.fixture
def short_patience(monkeypatch, small_waits):
    monkeypatch.setattr(PatientConnection, "patience_s", 0.8)
    monkeypatch.setattr("burnish.store.patience.PING_S", 0.3)
    monkeypatch.setattr("burnish.store.postgres.CONNECT_S", 2)  # the least that libpq keeps to


def read(store):
    with store.reading() as connection:
        return read_state(connection, "a")


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:hunter2@host:port/db",
        "postgres://me:hunter2@host:5432:1/db",
    ],
)
def test_a_url_that_cannot_be_read_is_told_without_its_password(url):
    with pytest.raises(UserError) as caught:
        open_store(url)
    assert str(caught.value) == (
        "the URL of the database cannot be read; give postgresql://user:password@host:port/database, with % codes for "
        "what is no letter or digit in user and password."
    )


@pytest.mark.parametrize("kind", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_way_to_say_postgresql_is_taken(made_url, kind):
    store = open_store(made_url.replace("postgresql", kind, 1))
    with store.reading() as connection:
        assert connection.exec_driver_sql("SHOW server_version_num").scalar_one().isdigit()
    store.close()


def test_a_commit_is_on_disk_and_no_statement_runs_for_ever(cluster, store):
    """Whatever is usual in this database."""
    with store.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("ALTER DATABASE made SET synchronous_commit = off")
        connection.exec_driver_sql("ALTER DATABASE made SET default_transaction_isolation = 'serializable'")
    store.close()  # what follows is on new connections
    with store.writing() as connection:
        told = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("synchronous_commit", "statement_timeout", "transaction_isolation", "transaction_read_only")
        ]
    assert told == ["on", "10s", "read committed", "off"]
    with store.reading() as connection:
        assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"


def test_a_statement_that_takes_too_long_is_given_up_by_the_server(made_url, small_waits):
    store = open_store(made_url)
    with (
        pytest.raises(StoreUnavailable, match=r"does not answer \(canceling statement due to statement timeout\)\.$"),
        store.reading() as connection,
    ):
        connection.exec_driver_sql("SELECT pg_sleep(5)")
    assert read(store) is None
    store.close()


def test_what_may_take_long_may(made_url, small_waits, monkeypatch):
    monkeypatch.setattr(PatientConnection, "patience_s", 0.8)
    store = open_store(made_url)
    with store.writing() as connection:
        with unhurried(connection):
            connection.exec_driver_sql("SELECT pg_sleep(1.2)")
        assert connection.connection.driver_connection.patience_s == 0.8
    store.close()


def test_nobody_answers(tmp_path):
    with pytest.raises(StoreUnavailable, match=r"^the database does not answer \(connection"):
        open_store(f"postgresql://me:hunter2@/db?host={tmp_path}")


def test_a_stopped_server_is_told_and_there_again_once_it_was_started(cluster, store):
    def write_and_stop():
        with store.writing() as connection:
            put_state(connection, "a", 1)
            cluster.stop()

    assert read(store) is None
    with pytest.raises(StoreUnavailable, match="the database does not answer"):
        write_and_stop()
    try:
        with pytest.raises(StoreUnavailable, match="the database does not answer"):
            read(store)
        with pytest.raises(StoreUnavailable, match="the database does not answer"), store.writing():
            pass
    finally:
        cluster.start()
    assert read(store) is None  # what it did not live to commit
    with store.writing() as connection:
        put_state(connection, "b", 1)


def test_a_frozen_server_holds_nobody_for_long(cluster, made_url, short_patience):
    """Its kernel still answers, so neither its own limits nor those of TCP help."""
    store = open_store(made_url)
    assert read(store) is None
    took = []

    def ask():
        started = time.monotonic()
        with pytest.raises(StoreUnavailable, match="the database does not answer"):
            read(store)
        took.append(time.monotonic() - started)

    def write_and_freeze():
        with store.writing() as connection:
            put_state(connection, "a", 1)
            cluster.freeze()
            read_state(connection, "a")

    with pytest.raises(StoreUnavailable, match=r"no answer from the server in 1 s"):
        write_and_freeze()
    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cluster.thaw()
    assert len(took) == 6
    assert max(took) < 8
    assert read(store) is None
    store.close()
