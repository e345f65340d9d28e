"""What a database refuses, in the words of this house."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from burnish.core.errors import BurnishError, UserError

UNREADABLE = "Could not decode"
"""SQLite's words where a text was overwritten with bytes that are none."""


class StoreUnavailable(BurnishError):
    """The database does not answer now. What was asked of it did not happen; only where the connection broke during the
    commit itself that is not known, and what may be sent again has an id or a token by which it counts once.
    """

    exit_code = 2


class ValueRefused(UserError):
    """A value that the database cannot hold; all else can go on."""


@contextmanager
def told_plainly() -> Iterator[None]:
    """Turn the faults of a driver into one sentence."""
    from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, InterfaceError, InternalError, OperationalError
    from sqlalchemy.exc import TimeoutError as PoolTimeout

    try:
        yield
    except DataError as error:
        raise ValueRefused(f"the database cannot hold a value ({first_line(error)}).") from error
    except (OperationalError, InterfaceError, InternalError, PoolTimeout) as error:
        if UNREADABLE in str(error):
            raise _damaged(error) from error
        raise StoreUnavailable(f"the database does not answer ({first_line(error)}).") from error
    except DBAPIError as error:
        if type(error) is DatabaseError:  # SQLite's word for a broken file; its other errors are more special
            raise _damaged(error) from error
        if not error.connection_invalidated:
            raise
        raise StoreUnavailable(f"the database does not answer ({first_line(error)}).") from error


def _damaged(error: Exception) -> UserError:
    return UserError(f"the database is damaged ({first_line(error)}); put a backup in its place.")


def first_line(error: Exception) -> str:
    """What a driver said, without what follows."""
    return str(getattr(error, "orig", None) or error).strip().split("\n")[0][:200]
