import os
import shutil
import threading

import pytest
from sqlalchemy import text
from tests.store.conftest import bytes_of, feedback, prediction, release

from burnish.core.errors import UserError
from burnish.core.manifest import write_manifest
from burnish.core.settings import Settings
from burnish.store.backup import back_up, check_backup
from burnish.store.home import open_home


@pytest.fixture
def home(tmp_path):
    opened = open_home(Settings(home=str(tmp_path / "home")))
    yield opened
    opened.close()


@pytest.fixture
def bundle(tmp_path):
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "weights").write_bytes(b"1234" * 1000)
    write_manifest(folder)
    return folder


@pytest.fixture
def out(tmp_path):
    return tmp_path / "backup"


def refused(action):
    with pytest.raises(UserError) as caught:
        action()
    return str(caught.value)


def test_a_backup_is_an_installation_itself(home, bundle, out):
    digest = home.bundles.put(bundle)
    home.releases.register(release(digest=digest))
    home.predictions.add([prediction("p_said")])
    home.corrections.add([feedback(prediction="p_said")], None, "")
    (home.folder / "tests").mkdir()
    (home.folder / "tests" / "rows.arrow").write_bytes(b"rows")
    (home.folder / "tests" / ".rows.arrow.tmp-1").write_bytes(b"half")
    journal = home.journal()  # of a process that goes on
    journal.add([prediction()])
    assert back_up(home, out) == out
    journal.add([prediction("p_late")])
    home.releases.register(release())
    check_backup(out)
    copy = open_home(Settings(home=str(out)))
    assert [one.version for one in copy.releases.all()] == [1]
    assert copy.bundles.get(digest).is_dir()
    assert [file.name for file in (out / "tests").iterdir()] == ["rows.arrow"]
    assert copy.predictions.find("p_1") == prediction()
    assert copy.predictions.find("p_late") is None
    assert list(copy.corrections.of_period("intent")) == [feedback(prediction="p_said")]
    assert copy.secret == home.secret
    assert copy.audit.fault() is None
    copy.close()
    journal.close()
    assert len(home.releases.all()) == 2


def test_a_backup_is_its_owners_alone(home, out):
    before = os.umask(0o022)
    try:
        back_up(home, out)
    finally:
        os.umask(before)
    assert out.stat().st_mode & 0o777 == 0o700
    assert {name: (out / name).stat().st_mode & 0o777 for name in ("secret", "burnish.db")} == {
        "secret": 0o600,
        "burnish.db": 0o600,
    }


def test_a_secret_from_the_environment_is_in_the_backup_that_needs_it(tmp_path, out):
    home = open_home(Settings(home=str(tmp_path / "own"), secret="s3cret" * 8))
    home.keys.create("a", ["predict"], "ann")
    back_up(home, out)
    home.close()
    copy = open_home(Settings(home=str(out)))
    assert copy.audit.fault() is None
    copy.close()


def test_backups_under_writes_hold_every_write_up_to_one_moment(home, tmp_path):
    is_over = threading.Event()

    def write():
        number = 0
        while not is_over.is_set():
            with home.store.writing() as connection:  # always two rows together
                values = {"n": f"{number:06}", "m": f"{number:06}b"}
                insert = "INSERT INTO states (name, value) VALUES (:n, '1'), (:m, '1')"
                connection.execute(text(insert), values)
                home.audit.add(connection, "ann", "pair", f"{number:06}")
            number += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for number in range(4):
            back_up(home, tmp_path / f"backup {number}")
    finally:
        is_over.set()
        thread.join()
    for number in range(4):
        check_backup(tmp_path / f"backup {number}")
        copy = open_home(Settings(home=str(tmp_path / f"backup {number}")))
        with copy.store.reading() as connection:
            names = (
                connection.execute(text("SELECT name FROM states WHERE name LIKE '0%' ORDER BY name")).scalars().all()
            )
        told = [line.about for line in copy.audit.entries()]
        assert names == [name for one in told for name in (one, f"{one}b")]
        assert told == [f"{n:06}" for n in range(len(told))]
        assert copy.audit.fault() is None
        copy.close()


@pytest.mark.parametrize("damage", ["flip", "cut", "remove", "use", "add"])
def test_a_torn_backup_is_told(home, out, damage):
    home.keys.create("a", ["predict"], "ann")
    back_up(home, out)
    file = out / "burnish.db"
    if damage == "flip":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    elif damage == "cut":
        file.write_bytes(file.read_bytes()[:-4096])
    elif damage == "remove":
        file.unlink()
    elif damage == "use":
        copy = open_home(Settings(home=str(out)))
        copy.keys.create("b", ["predict"], "ann")
        copy.close()
    else:
        (out / "more").write_text("x")
    told = refused(lambda: check_backup(out))
    assert told.startswith(f"{out}: the backup is torn, or was used since it was made: {out}: the file ")


def test_a_backup_whose_manifest_was_written_anew_is_looked_into(home, out):
    home.predictions.add([prediction(f"p_{number}", input={"text": "x" * 150}) for number in range(300)])
    back_up(home, out)
    file = out / "burnish.db"
    content = bytearray(file.read_bytes())
    for page in range(4, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = b"\xee" * 64
    file.write_bytes(content)
    write_manifest(out)
    told = refused(lambda: check_backup(out))
    assert told.startswith(f"{file}: the copy of the database is damaged (")
    assert told.endswith("); is the original? Do not use it.")
    file.write_bytes(b"no database" * 1000)
    write_manifest(out)
    assert refused(lambda: check_backup(out)) == (
        f"{file}: the copy of the database is damaged (file is not a database); is the original? Do not use it."
    )


def test_a_damaged_database_is_not_backed_up(home, out, monkeypatch):
    monkeypatch.setattr("burnish.store.backup._check_database", lambda file: _damaged(file))
    told = refused(lambda: back_up(home, out))
    assert told == f"{out / 'burnish.db'}: damaged."
    assert not out.exists()


def _damaged(file):
    raise UserError(f"{file}: damaged.")


def test_a_folder_that_is_no_backup_is_told(tmp_path):
    assert refused(lambda: check_backup(tmp_path)) == (
        f"{tmp_path}: is no backup; give the folder that one was made into."
    )


def test_a_folder_with_something_in_it_is_not_written_to(home, out):
    out.mkdir()
    (out / "mine").write_text("x")
    assert refused(lambda: back_up(home, out)).startswith(f"{out}: the folder is not empty")
    assert os.listdir(out) == ["mine"]


def test_what_was_erased_is_in_no_later_backup(home, out, tmp_path):
    home.predictions.add([prediction(input={"text": "canary 金丝雀"})])
    home.predictions.erase("ann", key="k1")
    back_up(home, out)
    assert not [file for file in out.rglob("*") if file.is_file() and b"canary" in file.read_bytes()]
    assert b"canary" not in bytes_of(home.store)


@pytest.mark.postgres
def test_a_postgresql_is_backed_up_by_its_own_means(made_url, tmp_path, out):
    from burnish.store.store import open_store

    store = open_store(made_url)
    with store.writing() as connection:
        connection.execute(text("DELETE FROM states"))
    store.close()
    home = open_home(Settings(home=str(tmp_path / "home"), database=made_url))
    assert refused(lambda: back_up(home, out)) == (
        "this installation's database is PostgreSQL: back it up with pg_dump, and copy the folder of the bundles."
    )
    home.close()
    shutil.rmtree(tmp_path / "home")
