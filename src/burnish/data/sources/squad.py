"""Questions under paragraphs under articles, in one JSON value: the form of SQuAD, CMRC 2018, XQuAD and others."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, detect
from burnish.data.lines import line_ends
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._document import read_document
from burnish.data.sources._json import BadJson, elements, members, skip_space

Item = tuple[int, dict[str, Any] | str]
"""Where something stands in the text, and a row's values or what is wrong there."""


class Squad(Source):
    """A row is `id`, `question`, `context`, `answers` (text and start), `title` of the article, and `paragraph`.

    `paragraph` is the paragraph's own id, or its number in the file: rows of one may be kept on one side of a split.
    Of a question marked as impossible (SQuAD 2.0) the list of answers is empty.
    """

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    most_rows: int | None = Field(default=None, ge=1)
    """Read only the first so many questions; null reads all."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        has_rows = False
        for row in islice(self._all_rows(), self.most_rows):
            has_rows = True
            yield row
        if not has_rows:
            raise UserError(f"{self.path}: has no questions.")

    def facts(self) -> dict[str, str]:
        cut = {} if self.most_rows is None else {"rows read": f"at most {self.most_rows:,}"}
        return {**self._encoding.facts(), **cut}

    @cached_property
    def _encoding(self) -> Encoding:
        return detect(self.path, self.encoding)

    def _all_rows(self) -> Iterator[Row | BadRow]:
        text = read_document(self.path, self._encoding)
        line, seen = 1, 0
        try:
            for position, found in _questions(text, self._data_start(text)):
                line += line_ends(text, seen, position)
                seen = position
                yield BadRow(line, found) if isinstance(found, str) else Row(line, found)
        except BadJson as error:
            fault = 1 + line_ends(text, 0, error.position or seen)
            yield BadRow(fault, f"{error.problem}; nothing after it was read.")

    def _data_start(self, text: str) -> int:
        """Where the array of articles opens."""
        start = skip_space(text, 0)
        try:
            data = members(text, start).get("data") if text[start : start + 1] == "{" else None
        except BadJson as error:
            line = 1 + line_ends(text, 0, error.position or 0)
            raise UserError(f"{self.path}:{line}: {error.problem}.") from None
        if data is None or text[data] != "[":
            raise UserError(f"{self.path}: is not in the form of SQuAD: one object whose 'data' is a list of articles.")
        return data


def _questions(text: str, data: int) -> Iterator[Item]:
    """Every question of every paragraph, as a row's values."""
    number = 0
    for at, article in elements(text, data, is_last=False):
        for place, paragraph in _listed(text, at, article, "paragraphs", "the article"):
            if isinstance(paragraph, str):
                yield place, paragraph
                continue
            number += 1
            about = {"title": article.get("title"), "paragraph": str(paragraph.get("id", number))}
            yield from _asked(text, place, paragraph, about)


def _asked(text: str, at: int, paragraph: dict[str, Any], about: dict[str, Any]) -> Iterator[Item]:
    for place, question in _listed(text, at, paragraph, "qas", "the paragraph"):
        if isinstance(question, str):
            yield place, question
            continue
        answers = [] if question.get("is_impossible") is True else question.get("answers")
        name = question.get("id")
        values = {"id": name, "question": question.get("question"), "context": paragraph.get("context")}
        yield place, {**values, "answers": answers, **about}


def _listed(text: str, at: int, holder: Any, key: str, what: str) -> Iterator[Item]:
    """The objects of the list `key` of an object at `at`, each with its place; or what is wrong there."""
    if not isinstance(holder, dict) or not isinstance(holder.get(key), list):
        yield at, f"{what} has no list '{key}'."
        return
    for place, item in elements(text, members(text, at, is_last=False)[key], is_last=False):
        yield place, item if isinstance(item, dict) else f"'{key}' holds something that is not an object."
