"""A log of who liked what when, as rows that know the past only: each like with what the same user liked before."""

from __future__ import annotations

from array import array
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from burnish.core.errors import UserError, hint, listed
from burnish.data.moments import WANTED, moment_of
from burnish.data.opening import open_sources
from burnish.data.sources._contract import BadRow, Row, Source


class Interactions(Source):
    """A row is `user`, `item`, `time`, `history`: the items that the user liked before that time, the oldest first.

    Rows come in the order of their times, whatever the order of the file. What has the very same time is not the past.
    Only the first time that a user likes an item counts. The log lies in memory as numbers: about 40 bytes a line.
    """

    path: Path
    """The log: a file of any form that another source reads, with a line for each time that somebody did something."""

    user: str = "user"
    """The column that says who."""

    item: str = "item"
    """The column that says what."""

    time: str = "time"
    """The column that says when: numbers such as seconds, or ISO dates."""

    format: str | None = None
    """How times are written if not so, in strptime's signs, e.g. `%d.%m.%Y`."""

    rating: str | None = None
    """The column with a number that says how much it was liked; null counts every line as a like."""

    least_rating: float | None = None
    """From which rating on a line counts as a like; goes with `rating`."""

    most_history: int = Field(default=200, ge=1)
    """Most items of a history, the newest ones. What a history holds is not recommended again."""

    since: float | str | None = None
    """Only likes from this time on become rows, such as those of a test; earlier ones are in their histories all the
    same. Written as a number or an ISO date."""

    until: float | str | None = None
    """Only likes before this time become rows, such as those of training."""

    reader: dict[str, Any] = Field(default_factory=dict)
    """Settings of the source that reads the file, e.g. `{name: tsv, has_header: false, names: [user, item, time]}`."""

    encoding: str = "auto"
    """Text encoding of the file: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    @field_validator("since", "until")
    @classmethod
    def _bounds_are_times(cls, value: float | str | None) -> float | str | None:
        try:
            _ = None if value is None else moment_of(value)
        except (ValueError, OverflowError):
            raise ValueError(f"must be {WANTED}; got {value!r}") from None
        return value

    @model_validator(mode="after")
    def _ratings_are_whole(self) -> Interactions:
        if (self.rating is None) != (self.least_rating is None):
            raise ValueError("rating and least_rating go together: the column, and from which number on it is a like")
        return self

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        log = self._log
        yield from log.bad
        order = log.first_likes()
        is_asked = self._is_asked(np.asarray(log.times)[order])
        if not is_asked.any() and not log.bad:
            raise UserError(f"{self.path}: nobody liked anything{self._wanted()}.")
        yield from log.rows_of(order, is_asked, self.most_history)

    def _is_asked(self, times: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which likes become rows, of likes at `times` [N]."""
        since, until = (None if value is None else moment_of(value)[0] for value in (self.since, self.until))
        return (times >= (-np.inf if since is None else since)) & (times < (np.inf if until is None else until))

    def _wanted(self) -> str:
        """What a row would have to be to count, as the end of a sentence."""
        rated = [] if self.rating is None else [f"with '{self.rating}' of {self.least_rating:g} or more"]
        since = [] if self.since is None else [f"since {self.since}"]
        until = [] if self.until is None else [f"before {self.until}"]
        return f": there is no row {', '.join([*rated, *since, *until])}" if rated or since or until else ""

    def facts(self) -> dict[str, str]:
        (source,) = self._inner
        log = self._log
        n_liked = sum(log.is_like)
        return {
            **source.facts(),
            "lines": f"{len(log.is_like):,}",
            "likes": f"{n_liked:,}, {n_liked - len(log.first_likes()):,} of them of an item liked before, left out",
            "users": f"{len(log.users):,}",
            "items": f"{len(log.items):,}",
        }

    @cached_property
    def _inner(self) -> list[Source]:
        return open_sources({"path": self.path, **self.reader}, self.encoding, "reader")

    @cached_property
    def _log(self) -> _Log:
        log = _Log()
        (source,) = self._inner
        for row in source.rows():
            if isinstance(row, BadRow):
                log.bad.append(row)
                continue
            if not log.lines and not log.bad:
                self._refuse_missing(row)
            try:
                log.add(row.line, *self._read(row.values, log))
            except ValueError as error:
                log.bad.append(BadRow(row.line, str(error)))
        return log

    def _refuse_missing(self, row: Row) -> None:
        for name in (self.user, self.item, self.time, self.rating):
            if name is not None and name not in row.values:
                near = hint(name, row.values)
                raise UserError(
                    f"{self.path}:{row.line}: there is no column '{name}'.{near} It has: {listed(row.values)}. "
                    "The settings user, item, time and rating of the source say which to read."
                )

    def _read(self, values: Mapping[str, Any], log: _Log) -> tuple[str, str, float, bool]:
        """Who, what, when, and whether it is a like."""
        who, what = (_name_of(values.get(column), column) for column in (self.user, self.item))
        when = values.get(self.time)
        try:
            moment, is_number = moment_of(when, self.format)
        except (ValueError, OverflowError):
            wanted = f"a time written as {self.format}" if self.format else f"{WANTED}, or set format"
            raise ValueError(f"{when!r} in the column '{self.time}' is not {wanted}.") from None
        if log.is_number is None:
            log.is_number = is_number
        if is_number != log.is_number:
            kinds = ("a number", "dates") if is_number else ("a date", "numbers")
            raise ValueError(f"{when!r} in the column '{self.time}' is {kinds[0]} where rows above have {kinds[1]}.")
        return who, what, moment, self._is_like(values)

    def _is_like(self, values: Mapping[str, Any]) -> bool:
        if self.rating is None or self.least_rating is None:
            return True
        try:
            return float(values.get(self.rating)) >= self.least_rating  # type: ignore[arg-type]  # None is refused
        except (TypeError, ValueError):
            raise ValueError(
                f"{values.get(self.rating)!r} in the column '{self.rating}' is no number; a rating must be one."
            ) from None


class _Log:
    """The lines of a log as arrays; names are numbers into `users` and `items`."""

    def __init__(self) -> None:
        self.users: dict[str, int] = {}
        self.items: dict[str, int] = {}
        self.who, self.what, self.lines = array("i"), array("i"), array("q")
        self.times, self.is_like = array("d"), array("b")
        self.bad: list[BadRow] = []
        self.is_number: bool | None = None

    def add(self, line: int, who: str, what: str, moment: float, is_like: bool) -> None:
        self.lines.append(line)
        self.who.append(self.users.setdefault(who, len(self.users)))
        self.what.append(self.items.setdefault(what, len(self.items)))
        self.times.append(moment)
        self.is_like.append(is_like)

    def first_likes(self) -> NDArray[np.int64]:
        """Places of the likes in order of time, each user's first of each item only."""
        likes = np.flatnonzero(np.asarray(self.is_like))
        likes = likes[np.argsort(np.asarray(self.times)[likes], kind="stable")]
        pairs = np.asarray(self.who, np.int64)[likes] * len(self.items) + np.asarray(self.what)[likes]
        return likes[np.sort(np.unique(pairs, return_index=True)[1])]

    def rows_of(self, order: NDArray[np.int64], is_asked: NDArray[np.bool_], most: int) -> Iterator[Row]:
        """Rows at those places of `order`, which rises in time, that are asked for; a like enters the history when the
        time moves on.
        """
        users, items = list(self.users), list(self.items)
        past: defaultdict[int, deque[str]] = defaultdict(lambda: deque(maxlen=most))
        now: list[int] = []
        for at, is_row in zip(order.tolist(), is_asked.tolist(), strict=True):
            if now and self.times[now[0]] != self.times[at]:
                for done in now:
                    past[self.who[done]].append(items[self.what[done]])
                now = []
            now.append(at)
            if not is_row:
                continue
            who = self.who[at]
            history = list(past[who]) if who in past else []
            values = {"user": users[who], "item": items[self.what[at]], "time": self.times[at], "history": history}
            yield Row(self.lines[at], values)


def _name_of(value: Any, column: str) -> str:
    """An id as text."""
    if isinstance(value, float) and value.is_integer():  # a column of numbers with a gap, as pandas keeps it
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValueError(f"{value!r} in the column '{column}' is no id; write text or a whole number.")
    return str(value).strip()
