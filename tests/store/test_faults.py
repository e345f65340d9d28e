import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tests.store.conftest import release

from burnish.core.errors import UserError
from burnish.store.faults import StoreUnavailable, ValueRefused, first_line, told_plainly
from burnish.store.tables import releases


class Broken(Exception):
    """What a driver raises."""


def test_a_statement_that_the_database_cannot_run_is_told_in_its_words(store):
    with pytest.raises(DBAPIError) as caught, store.engine.connect() as connection:
        connection.execute(text("SELECT *\nFROM nowhere"))
    assert "nowhere" in first_line(caught.value)
    assert "\n" not in first_line(caught.value)


def test_a_value_that_does_not_fit_is_refused_and_the_store_goes_on(store):
    from dataclasses import asdict

    if store.is_sqlite:
        pytest.skip("SQLite holds texts and numbers of any length")
    values = asdict(release(code_version="v" * 65, version=1))
    with (
        pytest.raises(ValueRefused) as caught,
        store.writing() as connection,
    ):
        connection.execute(releases.insert().values(**values))
    assert str(caught.value) == ("the database cannot hold a value (value too long for type character varying(64)).")
    with store.reading() as connection:
        assert connection.execute(releases.select()).all() == []


def test_what_breaks_a_rule_of_the_tables_is_an_error_of_ours(store):
    with pytest.raises(IntegrityError), store.writing() as connection:
        connection.execute(releases.insert().values(name="a", version=1))


@pytest.mark.parametrize(
    ("error", "kind", "told"),
    [
        (PoolTimeout("no room"), StoreUnavailable, "the database does not answer (no room)."),
        (
            OperationalError("SELECT 1", {}, Broken("gone\nHINT: none")),
            StoreUnavailable,
            "the database does not answer (gone).",
        ),
        (
            DBAPIError("SELECT 1", {}, Broken("cut off"), connection_invalidated=True),
            StoreUnavailable,
            "the database does not answer (cut off).",
        ),
        (
            OperationalError("SELECT 1", {}, Broken("Could not decode to UTF-8 column 'who'")),
            UserError,
            "the database is damaged (Could not decode to UTF-8 column 'who'); put a backup in its place.",
        ),
    ],
)  # fmt: skip
def test_faults_of_a_driver_become_one_sentence(error, kind, told):
    with pytest.raises(kind) as caught, told_plainly():
        raise error
    assert str(caught.value) == told
    assert caught.value.__cause__ is error


def test_another_fault_of_a_driver_stays_what_it_is():
    with pytest.raises(DBAPIError, match="odd"), told_plainly():
        raise DBAPIError("SELECT 1", {}, Broken("odd"))
