"""The tables, for SQLAlchemy Core. A change here needs a migration: `tests/store` holds the two against each other."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

from burnish.store.texts import json_of, plain

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)


class JsonText(TypeDecorator[Any]):
    """JSON as text: the same bytes in SQLite and PostgreSQL, and no surprise in the order of keys."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else json_of(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class PlainText(TypeDecorator[str]):
    """A text of any length without what a database cannot hold."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else plain(value)


class PlainString(TypeDecorator[str]):
    """The same, up to a length that PostgreSQL insists on and SQLite does not: for what cannot be longer."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else plain(value)


_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up on INTEGER only

releases = Table(
    "releases",
    metadata,
    Column("name", PlainString(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", PlainString(64), nullable=False),
    Column("task", PlainText, nullable=False),
    Column("at", Float, nullable=False),
    Column("by", PlainText, nullable=False),
    Column("why", PlainText, nullable=False, default=""),
    Column("parent", Integer),
    Column("source", PlainString(64), nullable=False, default=""),
    Column("data_digest", PlainString(200), nullable=False, default=""),
    Column("code_version", PlainString(64), nullable=False, default=""),
    Column("recipe", PlainText, nullable=False, default=""),
    Column("gates", JsonText),
    Column("is_passed", Boolean, nullable=False, default=True),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", PlainString(64), primary_key=True),
    Column("alias", PlainString(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("by", PlainText, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", PlainString(32), primary_key=True),
    Column("digest", PlainString(64), nullable=False),
    Column("owner", PlainString(200), nullable=False),
    Column("roles", JsonText, nullable=False),
    Column("at", Float, nullable=False),
    Column("expires_at", Float),
    Column("revoked_at", Float),
    Column("per_minute", Integer),
    Column("per_day", Integer),
    Column("models", JsonText, nullable=False),
)

predictions = Table(
    "predictions",
    metadata,
    Column("id", PlainString(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("name", PlainString(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", PlainString(32), nullable=False),
    Column("input", JsonText),
    Column("input_digest", PlainString(64), nullable=False),
    Column("answer", JsonText),
    Column("label", PlainText),
    Column("confidence", Float),
    Column("is_abstained", Boolean, nullable=False),
    Column("is_out_of_scope", Boolean, nullable=False),
    Column("n_tokens", Integer, nullable=False),
    Column("n_characters", Integer, nullable=False),
    Column("share_cjk", Float, nullable=False),
    Column("share_unknown", Float, nullable=False),
    Column("ms", Float, nullable=False),
    Column("traffic", PlainString(10), nullable=False),
    Column("private", JsonText, nullable=False),
    Column("vector", JsonText),
    Index(None, "name", "at"),
    Index(None, "input_digest"),
    Index(None, "key", "at"),
)

erasures = Table(
    "erasures",
    metadata,
    Column("kind", PlainString(16), primary_key=True),
    Column("value", PlainString(64), primary_key=True),
    Column("at", Float, nullable=False),
)
"""What was erased by `key` or by `input`, so that a journal that still holds it cannot bring it back."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", PlainString(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("prediction", PlainString(40), nullable=False),
    Column("name", PlainString(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", PlainString(32), nullable=False),
    Column("kind", PlainString(16), nullable=False),
    Column("value", JsonText),
    Column("comment", PlainText, nullable=False),
    Column("state", PlainString(16), nullable=False),
    Column("reason", PlainText, nullable=False),
    Column("used_in", Integer),
    Index(None, "name", "at"),
    Index(None, "prediction"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", PlainString(32), primary_key=True),
    Column("token", PlainString(200), primary_key=True),
    Column("body_digest", PlainString(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", PlainText, nullable=False),
    Index(None, "at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", PlainString(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("name", PlainString(64), nullable=False),
    Column("watch", PlainText, nullable=False),
    Column("severity", PlainString(16), nullable=False),
    Column("sentence", PlainText, nullable=False),
    Column("numbers", JsonText),
    Column("state", PlainString(16), nullable=False),
    Column("by", PlainText, nullable=False),
    Column("changed_at", Float),
    Index(None, "name", "at"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", PlainString(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("kind", PlainString(32), nullable=False),
    Column("arguments", JsonText, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("state", PlainString(16), nullable=False),
    Column("worker", PlainText, nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("progress", JsonText),
    Column("result", JsonText),
    Column("log", PlainText, nullable=False),
    Index(None, "state", "due_at"),
)

states = Table(
    "states",
    metadata,
    Column("name", PlainText, primary_key=True),
    Column("value", JsonText),
)
"""What outlives a process and has no rows of its own: where monitoring stands, the salt of input digests, schedules."""

audit = Table(
    "audit",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("who", PlainString(200), nullable=False),
    Column("what", PlainString(64), nullable=False),
    Column("about", PlainString(200), nullable=False),
    Column("detail", JsonText),
    Column("digest", PlainString(64), nullable=False),
)
