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

metadata = MetaData(
    naming_convention={"ix": "ix_%(table_name)s_%(column_0_N_name)s", "uq": "uq_%(table_name)s_%(column_0_N_name)s"}
)


class JsonText(TypeDecorator[Any]):
    """JSON as text: the same bytes in SQLite and PostgreSQL, and no surprise in the order of keys."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up on INTEGER only

releases = Table(
    "releases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("task", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("by", String(200), nullable=False),
    Column("why", Text, nullable=False, default=""),
    Column("parent", Integer),
    Column("data_digest", String(200), nullable=False, default=""),
    Column("code_version", String(64), nullable=False, default=""),
    Column("recipe", Text, nullable=False, default=""),
    Column("gates", JsonText),
    Column("is_passed", Boolean, nullable=False, default=True),
)

aliases = Table(
    "aliases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("alias", String(64), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("at", Float, nullable=False),
    Column("by", String(200), nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("owner", String(200), nullable=False),
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
    Column("id", String(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", String(32), nullable=False),
    Column("input", JsonText),
    Column("input_digest", String(64), nullable=False),
    Column("answer", JsonText),
    Column("label", Text),
    Column("confidence", Float),
    Column("is_abstained", Boolean, nullable=False),
    Column("is_out_of_scope", Boolean, nullable=False),
    Column("n_tokens", Integer, nullable=False),
    Column("n_characters", Integer, nullable=False),
    Column("share_cjk", Float, nullable=False),
    Column("share_unknown", Float, nullable=False),
    Column("ms", Float, nullable=False),
    Column("traffic", String(10), nullable=False),
    Column("private", JsonText, nullable=False),
    Column("vector", JsonText),
    Index(None, "name", "at"),
    Index(None, "input_digest"),
    Index(None, "key"),
)

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("prediction", String(40), nullable=False),
    Column("name", String(64), nullable=False),
    Column("version", Integer, nullable=False),
    Column("key", String(32), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("value", JsonText),
    Column("comment", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("used_in", Integer),
    Index(None, "name", "at"),
    Index(None, "prediction"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("token", String(200), primary_key=True),
    Column("body_digest", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("status", Integer, nullable=False),
    Column("answer", Text, nullable=False),
    Index(None, "at"),
)

alerts = Table(
    "alerts",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("name", String(64), nullable=False),
    Column("watch", String(64), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("sentence", Text, nullable=False),
    Column("numbers", JsonText),
    Column("state", String(16), nullable=False),
    Column("by", String(200), nullable=False),
    Column("changed_at", Float),
    Index(None, "name", "at"),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("kind", String(32), nullable=False),
    Column("arguments", JsonText, nullable=False),
    Column("due_at", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("worker", String(200), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("progress", JsonText),
    Column("result", JsonText),
    Column("log", Text, nullable=False),
    Index(None, "state", "due_at"),
)

states = Table(
    "states",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", JsonText),
)
"""What outlives a process and has no rows of its own: where monitoring stands, the salt of input digests, schedules."""

audit = Table(
    "audit",
    metadata,
    Column("number", _Number, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("who", String(200), nullable=False),
    Column("what", String(64), nullable=False),
    Column("about", String(200), nullable=False),
    Column("detail", JsonText),
    Column("digest", String(64), nullable=False),
)
