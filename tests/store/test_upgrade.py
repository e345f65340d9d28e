import subprocess
import sys
from dataclasses import asdict, fields

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select, text
from tests.store.conftest import SECRET, alert, feedback, prediction, release

from burnish.core.errors import UserError
from burnish.store import records, tables
from burnish.store.audit import Audit
from burnish.store.states import put_state, read_state
from burnish.store.store import _connected, open_store
from burnish.store.upgrade import _configuration, revisions, upgrade

SCRIPTS = ScriptDirectory.from_config(_configuration())
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]
NEWEST = SCRIPTS.get_current_head()
HELD = {
    "releases": [release(version=1, why="中文", gates={"a": [1.5]})],
    "aliases": [records.Alias("intent", "production", 1, 1.5, "ann")],
    "keys": [records.Key("k1", "ab" * 32, "ann", ("predict",), 1.0, None, None, 60, None, ("intent",))],
    "predictions": [prediction(), prediction("p_2", input=None, vector=[0.25, 0.75], private={"phone": 2})],
    "feedback": [feedback(), feedback("f_2", kind="spans", value=[[0, 2, "人名"]], comment="看")],
    "alerts": [alert()],
    "jobs": [records.Job("j_1", 1.0, "retrain", {"name": "intent"}, 2.0, progress={"share": 0.5})],
}


def bring_to(store, revision):
    with store.writing() as connection:
        configuration = _configuration()
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, revision)


def put_all(store):
    """Rows as a Burnish of that time wrote them, and lines of the audit log."""
    audit = Audit(store, SECRET)
    with store.writing() as connection:
        for name, held in HELD.items():
            columns = columns_of(connection, name)
            for record in held:
                values = {column: value for column, value in asdict(record).items() if column in columns}
                connection.execute(tables.metadata.tables[name].insert().values(values))
        for number in range(3):
            audit.add(connection, "ann", "release", f"intent:{number}", {"n": number})


def columns_of(connection, name):
    return [column["name"] for column in inspect(connection).get_columns(name)]


def all_of(store):
    """Every row, as far as the first tables had columns for it."""
    found = {}
    with store.reading() as connection:
        for name in HELD:
            table = tables.metadata.tables[name]
            columns = [table.columns[column] for column in columns_of(connection, name)]
            found[name] = [row._asdict() for row in connection.execute(select(*columns).order_by(text("1")))]
    return found


def test_the_migrations_make_the_tables(new_url):
    store = open_store(new_url)
    with store.writing() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
    store.close()


def test_the_files_of_the_migrations_are_named_after_their_revisions_in_order():
    assert revisions() == REVISIONS
    assert revisions()[-1] == NEWEST


OPEN = """
import sys
from burnish.store.store import open_store
open_store(sys.argv[1]).close()
print(sorted({name.split(".")[0] for name in sys.modules} & {"alembic", "mako", "sqlalchemy"}))
"""


def test_a_database_that_is_up_to_date_is_opened_without_alembic(new_url):
    opened = [
        subprocess.run([sys.executable, "-c", OPEN, new_url], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    ]
    assert opened == ["['alembic', 'mako', 'sqlalchemy']\n", "['sqlalchemy']\n"]


@pytest.mark.parametrize("name", [*HELD, "audit"])
def test_a_record_has_the_columns_of_its_table_in_their_order(name):
    kinds = {
        "releases": records.Release, "aliases": records.Alias, "keys": records.Key, "predictions": records.Prediction,
        "feedback": records.Feedback, "alerts": records.Alert, "jobs": records.Job, "audit": records.Entry,
    }  # fmt: skip
    columns = [column.name for column in tables.metadata.tables[name].columns]
    assert [field.name for field in fields(kinds[name])] == columns


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_past_schema_is_brought_up_with_its_data(new_url, revision):
    store = _connected(new_url)
    bring_to(store, revision)
    put_all(store)
    before = all_of(store)
    upgrade(store)
    with store.reading() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == NEWEST
    for name, rows in all_of(store).items():  # what a migration adds has a value too
        assert [{column: row[column] for column in before[name][0]} for row in rows] == before[name]
    assert {name: len(rows) for name, rows in before.items()} == {name: len(rows) for name, rows in HELD.items()}
    assert Audit(store, SECRET).fault() is None
    with store.writing() as connection:
        assert compare_metadata(MigrationContext.configure(connection), tables.metadata) == []
    store.close()


def test_names_of_states_outlive_the_migration_that_lets_them_be_long(new_url):
    store = _connected(new_url)
    bring_to(store, "0002")
    put_all(store)
    with store.writing() as connection:
        put_state(connection, "window intent 1 2", {"中": [1]})
    upgrade(store)
    long = f"window {'a' * 64} 1758000000 1758003600"
    with store.writing() as connection:
        put_state(connection, long, [2])
        put_state(connection, long, [3])
    with store.reading() as connection:
        assert read_state(connection, "window intent 1 2") == {"中": [1]}
        assert read_state(connection, long) == [3]
    store.close()


def test_a_migration_that_fails_leaves_the_old_tables_as_they_were(new_url, monkeypatch):
    store = _connected(new_url)
    bring_to(store, REVISIONS[0])
    put_all(store)
    before = all_of(store)

    def fail(*arguments, **settings):
        raise OSError("the machine stops")

    with monkeypatch.context() as patch:
        patch.setattr("alembic.op.create_index", fail)  # after a table was made and an index dropped
        with pytest.raises(OSError, match="the machine stops"):
            upgrade(store)
    with store.reading() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == REVISIONS[0]
        assert "erasures" not in inspect(connection).get_table_names()
    assert all_of(store) == before
    upgrade(store)
    assert all_of(store) == before
    store.close()


@pytest.mark.postgres
def test_a_migration_may_take_longer_than_anything_else(cluster, monkeypatch, small_waits):
    from burnish.store.patience import PatientConnection
    from burnish.store.upgrade import _run

    def take_long(connection):
        connection.exec_driver_sql("SELECT pg_sleep(1)")
        _run(connection)

    monkeypatch.setattr(PatientConnection, "patience_s", 0.7)
    monkeypatch.setattr("burnish.store.upgrade._run", take_long)
    open_store(cluster.create("new")).close()


DIE = """
import os, signal, sys
from alembic import op
op.create_index = lambda *a, **k: os.kill(os.getpid(), signal.SIGKILL)
from burnish.store.store import open_store
open_store(sys.argv[1])
"""


def test_a_process_that_is_killed_amid_a_migration_leaves_the_old_tables(new_url):
    store = _connected(new_url)
    bring_to(store, REVISIONS[0])
    put_all(store)
    before = all_of(store)
    store.close()
    assert subprocess.run([sys.executable, "-c", DIE, new_url], check=False).returncode == -9
    again = open_store(new_url)
    assert all_of(again) == before
    again.close()


def test_a_database_of_a_newer_burnish_is_refused_and_stays_as_it_is(new_url):
    store = open_store(new_url)
    put_all(store)
    before = all_of(store)
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    store.close()
    with pytest.raises(
        UserError, match=r"^the database \S+ is of a newer Burnish \(its tables are of '0999'\); run that "
    ):
        open_store(new_url)
    closed = _connected(new_url)
    assert all_of(closed) == before
    closed.close()


@pytest.mark.postgres
def test_a_password_is_not_told_with_the_database(cluster):
    url = cluster.create("newer").replace("burnish@", "burnish:hunter2@")
    store = open_store(url)
    with store.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '0999'"))
    store.close()
    with pytest.raises(UserError) as caught:
        open_store(url)
    assert "hunter2" not in str(caught.value)


def test_a_database_of_another_program_is_refused(new_url):
    store = _connected(new_url)
    with store.writing() as connection:
        connection.execute(text("CREATE TABLE jobs (id INTEGER)"))
        connection.execute(text("CREATE TABLE people (id INTEGER)"))
    store.close()
    with pytest.raises(UserError, match=r"holds tables of another program \(jobs\); give one of its own\.$"):
        open_store(new_url)


@pytest.mark.postgres
def test_a_user_who_may_not_make_tables_is_told(cluster):
    import psycopg

    url = cluster.create("narrow")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS guest")
        connection.execute("CREATE ROLE guest LOGIN")
    with pytest.raises(
        UserError, match=r"^the database \S+ does not let its tables be made \(permission denied for schema public\)\.$"
    ):
        open_store(url.replace("burnish@", "guest@"))


def test_opening_again_changes_nothing(url):
    store = open_store(url)
    with store.reading() as connection:
        before = connection.execute(text("SELECT version_num FROM alembic_version")).all()
    store.close()
    open_store(url).close()
    assert before == [(NEWEST,)]
