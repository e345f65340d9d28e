import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from burnish.core.errors import UserError
from burnish.store.sqlite import sqlite_module, sqlite_warning
from burnish.store.states import put_state, read_state
from burnish.store.store import open_store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "deep" / "burnish.db"


def opened(path):
    return open_store(f"sqlite:///{path}")


@pytest.fixture
def without_pysqlite3(monkeypatch):
    monkeypatch.setitem(sys.modules, "pysqlite3", None)


def pragma(store, name):
    with store.reading() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


def test_a_new_database_and_what_lies_beside_it_are_their_owners_alone(path):
    before = os.umask(0o022)
    try:
        store = opened(path)
    finally:
        os.umask(before)
    with store.writing() as connection:
        put_state(connection, "a", 1)
        modes = {file.name: file.stat().st_mode & 0o777 for file in path.parent.iterdir()}
    store.close()
    assert modes == dict.fromkeys(["burnish.db", "burnish.db-shm", "burnish.db-wal", ".burnish.db.lock"], 0o600)


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("mmap_size", 0), ("foreign_keys", 1)],
)
def test_a_commit_is_on_disk_and_what_is_deleted_is_gone(path, name, value):
    store = opened(path)
    assert pragma(store, name) == value
    store.close()


def test_a_path_may_hold_what_means_something_in_a_url(tmp_path):
    odd = tmp_path / "a?b=c#d %41 中.db"
    store = opened(odd)
    store.close()
    assert odd.exists()
    assert {file.name for file in tmp_path.iterdir()} == {odd.name, f".{odd.name}.lock"}


def test_a_path_that_starts_in_the_home_folder_or_here_stays_when_the_folder_changes(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    for name, url in (("a.db", "sqlite:///~/a.db"), ("b.db", "sqlite:///b.db")):
        store = open_store(url)
        monkeypatch.chdir(tmp_path / "other")
        with store.writing() as connection:
            put_state(connection, "a", 1)
        store.close()
        monkeypatch.chdir(tmp_path)
        assert (tmp_path / name).exists()
    assert not list((tmp_path / "other").iterdir())


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(UserError) as caught:
        opened(tmp_path)
    assert str(caught.value) == (
        f"{tmp_path}: is a folder; a database is a file: give sqlite:///{tmp_path}/burnish.db."
    )


def test_memory_is_refused():
    with pytest.raises(UserError, match=r"^the store is a file, not in memory; give sqlite:////path/file\.db\.$"):
        opened(":memory:")


@pytest.mark.parametrize("content", [b"label,text\n" * 500, b"x", b"SQLite format 2\0" * 100, bytes(range(256)) * 40])
def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        opened(path)
    assert str(caught.value) == (
        f"{path}: is no SQLite database; give the path of one, or of a file that does not exist yet."
    )
    assert path.read_bytes() == content


def test_a_database_that_is_damaged_is_told_as_such(path):
    store = opened(path)
    with store.writing() as connection:
        for number in range(300):
            put_state(connection, f"state {number}", "x" * 500)
    store.close()
    content = bytearray(path.read_bytes())
    content[8192:-4096] = b"\xff" * (len(content) - 8192 - 4096)
    path.write_bytes(content)

    def open_and_read():
        with closing(opened(path)) as again, again.reading() as connection:
            read_state(connection, "state 7")

    with pytest.raises(UserError, match=r"^the database is damaged \(.*\); put a backup in its place\.$"):
        open_and_read()


def test_a_text_that_was_overwritten_is_told_as_damage(path):
    store = opened(path)
    with store.writing() as connection:
        put_state(connection, "a", 1)
        connection.exec_driver_sql("UPDATE states SET value = CAST(x'ff31' AS TEXT)")
    with (
        pytest.raises(UserError, match=r"^the database is damaged \(Could not decode"),
        store.reading() as connection,
    ):
        read_state(connection, "a")
    store.close()


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UserError) as caught:
        opened(tmp_path / "file" / "burnish.db")
    path = tmp_path / "file"
    assert str(caught.value) == f"{path}/burnish.db: cannot be made, because {path} is no folder."


def test_many_that_open_a_new_database_at_once_all_can(path):
    meet = threading.Barrier(6, timeout=30)
    faults = []

    def work():
        meet.wait()
        try:
            opened(path).close()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults


VISIT = """
import sys
import sqlite3
one = sqlite3.connect(sys.argv[1])
print(one.execute("SELECT count(*) FROM states WHERE name = 'late'").fetchone()[0])
one.close()
"""


def visited(path):
    """What another program sees that opens the file and closes it again, as a shell of SQLite does."""
    done = subprocess.run([sys.executable, "-c", VISIT, str(path)], capture_output=True, text=True, check=True)
    return int(done.stdout)


def test_a_second_store_in_one_process_does_not_drop_the_locks_of_the_first(path):
    """Else the visitor, who thinks that it is the last, deletes the log that the first store goes on writing to."""
    first = opened(path)
    with first.writing() as connection:
        put_state(connection, "early", 1)
    opened(path).close()
    assert visited(path) == 0
    with first.writing() as connection:
        put_state(connection, "late", 1)
    assert visited(path) == 1
    first.close()


def test_a_store_works_on_pythons_own_sqlite(path, without_pysqlite3):
    assert sqlite_module() is sqlite3
    store = opened(path)
    with store.writing() as connection:
        put_state(connection, "a", "中")
    store.settle()
    with store.reading() as connection:
        assert read_state(connection, "a") == "中"
        assert connection.exec_driver_sql("SELECT sqlite_version()").scalar() == sqlite3.sqlite_version
    store.close()
    again = opened(path)
    assert pragma(again, "journal_mode") == "wal"
    again.close()


@pytest.mark.parametrize(
    ("version", "is_sound"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
        ((4, 0, 0), True),
    ],
)
def test_a_sqlite_that_can_corrupt_its_log_is_told(monkeypatch, without_pysqlite3, version, is_sound):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))
    told = sqlite_warning()
    if is_sound:
        assert told is None
    else:
        assert told == (
            f"SQLite {'.'.join(map(str, version))} can corrupt its log when other programs write to the database too; "
            "pip install pysqlite3, and let no other program write to it."
        )


def test_no_file_of_the_store_opens_the_database_file_by_itself():
    """https://sqlite.org/howtocorrupt.html, 2.2; only `_make` does, and only a file that was not there."""
    folder = Path(open_store.__code__.co_filename).parent
    assert "os.O_EXCL" in (folder / "sqlite.py").read_text()
    assert ".open(" not in (folder / "sqlite.py").read_text().replace("os.open(", "")
    assert ".open(" not in (folder / "store.py").read_text()
