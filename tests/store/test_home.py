import os
import threading

import pytest
from sqlalchemy import text
from tests.store.conftest import feedback, prediction, release
from tests.store.forked import in_processes

from burnish.core.errors import UserError
from burnish.core.settings import Settings
from burnish.store.faults import StoreUnavailable
from burnish.store.home import open_home, opened_home, whoami


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "home"


def test_a_new_home_is_made_and_is_its_owners_alone(folder):
    before = os.umask(0o022)
    try:
        home = open_home(Settings(home=str(folder)))
    finally:
        os.umask(before)
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "secret").stat().st_mode & 0o777 == 0o600
    assert (folder / "burnish.db").stat().st_mode & 0o777 == 0o600
    assert (folder / "secret").read_bytes() == home.secret
    assert len(home.secret) == 64  # 48 random bytes in base64
    home.close()


def test_everything_of_an_installation_is_there_when_it_is_opened_again(home, settings):
    home.releases.register(release())
    home.keys.create("ann", ["predict"], "ann")
    journal = home.journal()
    journal.add([prediction()])
    journal.close()  # which moves it
    home.corrections.add([feedback()], None, "")
    job = home.jobs.add("retrain", {}, "ann")
    home.alerts.add([])
    home.close()
    again = open_home(settings)
    assert again.releases.find("intent:1").task == "classification"
    assert [key.owner for key in again.keys.all()] == ["ann"]
    assert again.predictions.find("p_1") == prediction()
    assert list(again.corrections.of_period("intent")) == [feedback()]
    assert again.jobs.find(job.id) == job
    assert again.alerts.all() == []
    assert again.audit.fault() is None
    assert again.secret == home.secret
    assert again.bundles.folder == again.folder / "bundles"
    again.close()


def test_the_home_of_this_process_is_that_of_its_environment(folder, monkeypatch):
    monkeypatch.setattr("burnish.store.home.settings", lambda: Settings(home=str(folder)))
    with opened_home() as home:
        assert home.folder == folder
    assert (folder / "burnish.db").exists()


def test_bundles_may_lie_in_a_folder_or_at_a_url(folder, tmp_path):
    for given, local, remote in (
        (str(tmp_path / "b"), tmp_path / "b", ""),
        ("memory://a/b", folder / "bundles", "memory://a/b"),
    ):
        home = open_home(Settings(home=str(folder), bundles=given))
        assert (home.bundles.folder, home.bundles.remote) == (local, remote)
        home.close()


def test_an_input_is_known_again_by_whoever_has_the_secret_only(folder, tmp_path):
    first = open_home(Settings(home=str(folder)))
    other = open_home(Settings(home=str(tmp_path / "other")))
    same = open_home(Settings(home=str(tmp_path / "same"), secret=first.secret.decode()))
    assert first.digest_of(b"text") == same.digest_of(b"text") != first.digest_of(b"texts")
    assert other.digest_of(b"text") != first.digest_of(b"text")
    assert len(first.digest_of(b"")) == 64
    for home in (first, other, same):
        home.close()


@pytest.mark.parametrize("secret", ["", "short", "x" * 31, " " * 40])
def test_a_secret_that_can_be_guessed_is_refused(folder, secret):
    with pytest.raises(UserError) as caught:
        open_home(Settings(home=str(folder), secret=secret))
    n = len(secret.strip())
    assert str(caught.value) == f"BURNISH_SECRET: must have at least 32 characters; it has {n}."


def test_a_secret_of_ones_own_is_kept_nowhere(folder):
    home = open_home(Settings(home=str(folder), secret="s3cret" * 8))
    home.keys.create("a", ["predict"], "ann")
    home.close()
    assert not (folder / "secret").exists()
    assert not [file for file in folder.rglob("*") if file.is_file() and b"s3crets3cret" in file.read_bytes()]


@pytest.mark.parametrize("content", [b"", b"short\n"])
def test_a_secret_file_that_was_cut_is_refused(folder, content):
    open_home(Settings(home=str(folder))).close()
    (folder / "secret").write_bytes(content)
    with pytest.raises(UserError) as caught:
        open_home(Settings(home=str(folder)))
    n = len(content.strip())
    assert str(caught.value) == f"{folder / 'secret'}: must hold at least 32 characters; it has {n}. Restore it."


def test_a_secret_file_may_end_with_a_newline(folder):
    folder.mkdir()
    (folder / "secret").write_bytes(b"x" * 40 + b"\n")
    home = open_home(Settings(home=str(folder)))
    assert home.secret == b"x" * 40
    home.close()


def test_a_database_is_not_opened_with_another_secret(home, settings, tmp_path):
    home.close()
    other = Settings(home=str(tmp_path / "second machine"), database=settings.database)
    with pytest.raises(UserError) as caught:
        open_home(other)
    assert str(caught.value) == (
        "the secret is not the one that this database began with; give that one as BURNISH_SECRET, or put the file "
        f"{tmp_path / 'second machine' / 'secret'} of the first machine here."
    )
    open_home(settings).close()


def test_a_home_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "deeper"):
        with pytest.raises(UserError) as caught:
            open_home(Settings(home=str(place)))
        assert str(caught.value) == (f"BURNISH_HOME: {place} is no folder; give one, or a path where one can be made.")


def test_a_home_without_its_database_is_told(folder, tmp_path):
    with pytest.raises(StoreUnavailable, match="the database does not answer"):
        open_home(Settings(home=str(folder), database=f"postgresql://me@/db?host={tmp_path}"))


def test_many_that_open_a_new_home_at_once_have_one_secret(folder):
    meet = threading.Barrier(5, timeout=30)
    secrets, faults = [], []

    def work():
        meet.wait()
        try:
            home = open_home(Settings(home=str(folder)))
            home.keys.create("a", ["predict"], "ann")
            secrets.append(home.secret)
            home.close()
        except Exception as error:
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert len(set(secrets)) == 1
    home = open_home(Settings(home=str(folder)))
    assert home.audit.fault() is None
    home.close()


SERVE = """
from burnish.core.settings import Settings
from burnish.store.home import open_home
import burnish.store.upgrade, burnish.store.tables, alembic.command

def work(own, folder):
    home = open_home(Settings(home=folder))
    for number in range(20):
        home.keys.create(f"{own} {number}", ["predict"], "ann")
    fault = home.audit.fault()
    home.close()
    return fault
"""


def test_a_second_server_on_one_file_is_no_trouble(folder):
    assert in_processes(SERVE, 2, str(folder)) == [None, None]
    home = open_home(Settings(home=str(folder)))
    assert len(home.keys.all()) == 40
    assert home.audit.fault() is None
    with home.store.reading() as connection:
        assert connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"
    home.close()


def test_whoever_works_has_a_name_or_a_number(monkeypatch):
    monkeypatch.setattr("burnish.store.home.getpass.getuser", lambda: "安")
    assert whoami() == "user 安"

    def fail():
        raise KeyError("uid not found: 4711")

    monkeypatch.setattr("burnish.store.home.getpass.getuser", fail)
    assert whoami() == f"user {os.getuid()}"
