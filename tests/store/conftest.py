"""The store on both databases, and records to put into it."""

import shutil
from pathlib import Path

import pytest
from benchmarks.postgres import Cluster, binaries, temporary_folder

from burnish.core.settings import Settings
from burnish.store.audit import Audit
from burnish.store.home import open_home
from burnish.store.records import Alert, Feedback, Prediction, Release
from burnish.store.store import Store, open_store
from burnish.store.tables import metadata

SECRET = b"0123456789abcdef0123456789abcdef"
DATABASES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(scope="session")
def cluster():
    """A PostgreSQL of this session's own; benchmarks/durability.py kills one that is durable."""
    if binaries() is None:
        pytest.skip("there is no PostgreSQL on this machine (initdb, pg_ctl)")
    folder = temporary_folder()
    cluster = Cluster(folder, is_durable=False)
    yield cluster
    cluster.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made_file(tmp_path_factory):
    """An empty store in SQLite, to be copied: migrations take longer than most tests."""
    path = tmp_path_factory.mktemp("made") / "burnish.db"
    open_store(f"sqlite:///{path}").close()
    return path


@pytest.fixture(scope="session")
def made_url(cluster):
    """The same in PostgreSQL."""
    url = cluster.create("made")
    open_store(url).close()
    return url


@pytest.fixture(scope="session")
def made_store(made_url):
    """That, opened once for all tests."""
    store = open_store(made_url)
    yield store
    store.close()


@pytest.fixture(params=DATABASES)
def url(request, tmp_path):
    """An empty store on each database."""
    if request.param == "sqlite":
        path = tmp_path / "home" / "burnish.db"
        path.parent.mkdir(mode=0o700)
        shutil.copyfile(request.getfixturevalue("made_file"), path)
        path.chmod(0o600)
        return f"sqlite:///{path}"
    with request.getfixturevalue("made_store").writing() as connection:
        for table in metadata.tables.values():
            connection.execute(table.delete())
    return request.getfixturevalue("made_url")


@pytest.fixture(params=DATABASES)
def new_url(request, tmp_path):
    """A place on each database where nothing is yet."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return request.getfixturevalue("cluster").create("new")


@pytest.fixture
def store(request, url):
    if not url.startswith("sqlite"):
        yield request.getfixturevalue("made_store")
        return
    opened = open_store(url)
    yield opened
    opened.close()


@pytest.fixture
def audit(store):
    return Audit(store, SECRET)


@pytest.fixture
def settings(url, tmp_path):
    return Settings(home=str(tmp_path / "home"), database=url)


@pytest.fixture
def home(settings):
    opened = open_home(settings)
    yield opened
    opened.close()


@pytest.fixture
def small_waits(monkeypatch):
    """Whoever waits gives up after half a second."""
    for module in ("locks", "store", "sqlite", "postgres"):
        monkeypatch.setattr(f"burnish.store.{module}.WAIT_S", 0.5)


def prediction(identity="p_1", **changes):
    usual = {
        "at": 1000.0, "name": "intent", "version": 1, "key": "k1", "input": {"text": "退款 please"},
        "input_digest": "d1", "answer": {"label": "refund"}, "label": "refund", "confidence": 0.9,
    }  # fmt: skip
    return Prediction(id=identity, **{**usual, **changes})


def feedback(identity="f_1", **changes):
    usual = {
        "at": 2000.0, "prediction": "p_1", "name": "intent", "version": 1, "key": "k1", "kind": "label",
        "value": "投诉",
    }  # fmt: skip
    return Feedback(id=identity, **{**usual, **changes})


def release(name="intent", **changes):
    usual = {"version": 0, "digest": "ab" * 32, "task": "classification", "at": 1000.0, "by": "user ann"}
    return Release(name=name, **{**usual, **changes})


def alert(identity="a_1", **changes):
    usual = {
        "at": 1000.0, "name": "intent", "watch": "volume", "severity": "warning", "sentence": "There are few.",
        "numbers": {"seen": 3},
    }  # fmt: skip
    return Alert(id=identity, **{**usual, **changes})


def bytes_of(database: Store) -> bytes:
    """All that SQLite has on disk: the file, its log, and what it keeps beside them."""
    path = Path(str(database.engine.url.database))
    return b"".join(file.read_bytes() for file in sorted(path.parent.glob(f"*{path.name}*")))
