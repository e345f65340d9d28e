"""JSON: one object a line, an array of objects, or an object of arrays of which `key` chooses one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from burnish.core.errors import UserError, hint, listed
from burnish.data.encodings import Encoding, detect, open_text
from burnish.data.lines import BadLine, line_ends, numbered
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._document import read_document
from burnish.data.sources._json import BadJson, elements, members, parse, parse_line, skip_space


class Jsonl(Source):
    """A file of JSON rows. A line is read strictly: no double keys, no NaN, nothing after the value."""

    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".ndjson", ".json")

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    key: str | None = None
    """Which array to take when the file is one object that holds arrays, e.g. `train`."""

    names: tuple[str, ...] = ()
    """Names of the columns when each row is an array, e.g. `[text, label]`."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        n_rows = 0
        for row in self._document_rows() if self._is_document else self._line_rows():
            n_rows += 1
            yield row
        if not n_rows:
            raise UserError(f"{self.path}: has no rows.")

    def facts(self) -> dict[str, str]:
        return {**self._encoding.facts(), "layout": "one JSON value" if self._is_document else "one object a line"}

    @cached_property
    def _encoding(self) -> Encoding:
        return detect(self.path, self.encoding)

    @cached_property
    def _is_document(self) -> bool:
        """Whether the file is one JSON value over several lines or with several rows in it, not a row a line."""
        if self.key is not None:
            return True
        with open_text(self.path, self._encoding) as stream:
            lines = (text for _, text in numbered(stream) if isinstance(text, BadLine) or text.strip())
            first, second = next(lines, ""), next(lines, None)
        if isinstance(first, BadLine):
            return second is None
        is_json = self.path.suffix.lower() == ".json"
        try:
            value = parse_line(first)
        except BadJson:
            return first.strip() == "{" or first.lstrip()[:1] == "[" or (is_json and first != "")
        return second is None and (isinstance(value, list) or (is_json and _holds_arrays_of_rows(value)))

    def _line_rows(self) -> Iterator[Row | BadRow]:
        with open_text(self.path, self._encoding) as stream:
            for line, text in numbered(stream):
                if isinstance(text, BadLine):
                    yield BadRow(line, str(text))
                elif not text.isspace():
                    yield self._parsed(line, text)

    def _parsed(self, line: int, text: str) -> Row | BadRow:
        try:
            value = parse_line(text.rstrip())
        except BadJson as error:
            column = "" if error.position is None else f"column {error.position + 1}: "
            return BadRow(line, f"{column}{error.problem}; write one JSON object on each line.")
        return self._row(line, value)

    def _row(self, line: int, value: Any) -> Row | BadRow:
        if isinstance(value, dict):
            return Row(line, value)
        if not isinstance(value, list):
            return BadRow(line, f"the row is {_kind(value)}, not an object.")
        if not self.names:
            return BadRow(line, "the row is an array; name its columns with `names`, e.g. names: [text, label].")
        if len(value) != len(self.names):
            return BadRow(line, f"the row has {len(value)} values, but `names` has {len(self.names)}.")
        return Row(line, dict(zip(self.names, value, strict=True)))

    def _document_rows(self) -> Iterator[Row | BadRow]:
        text = read_document(self.path, self._encoding)
        line, seen = 1, 0
        try:
            for position, value in elements(text, self._array_start(text), is_last=self.key is None):
                line += line_ends(text, seen, position)
                seen = position
                yield self._row(line, value)
        except BadJson as error:
            fault = line + line_ends(text, seen, error.position or seen)
            yield BadRow(fault, f"{error.problem}; nothing after it was read.")

    def _array_start(self, text: str) -> int:
        """Where the array of rows opens. Raises `UserError` when there is none, or `key` does not choose one."""
        start = skip_space(text, 0)
        if text[start : start + 1] == "[":
            if self.key is not None:
                raise UserError(f"{self.path}: is an array, so key '{self.key}' has nothing to choose; leave it out.")
            return start
        try:
            found = members(text, start) if text[start : start + 1] == "{" else {}
        except BadJson as error:
            line = 1 + line_ends(text, 0, error.position or 0)
            more = "" if self.key is None else "; a file with one object on each line needs no `key`"
            raise UserError(f"{self.path}:{line}: {error.problem}{more}.") from None
        return self._chosen(found, text)

    def _chosen(self, found: dict[str, int], text: str) -> int:
        if not found:
            raise UserError(f"{self.path}: is neither an array of rows nor an object that holds one.")
        if self.key is None:
            raise UserError(
                f"{self.path}: is one object with the keys {listed(found)}; say which holds the rows, "
                f"e.g. {{name: jsonl, path: {self.path}, key: {next(iter(found))}}}."
            )
        if self.key not in found:
            near = hint(self.key, found)
            raise UserError(f"{self.path}: there is no key '{self.key}'.{near} It has: {listed(found)}.")
        if text[found[self.key]] != "[":
            raise UserError(
                f"{self.path}: the key '{self.key}' holds {_kind(parse(text, found[self.key])[0])}, not an array."
            )
        return found[self.key]


def _holds_arrays_of_rows(value: Any) -> bool:
    """Whether a lone object looks like `{"train": [[…], …], "dev": …}` rather than like one row."""
    if not isinstance(value, dict) or not value:
        return False
    return all(isinstance(item, list) and item and isinstance(item[0], list | dict) for item in value.values())


def _kind(value: Any) -> str:
    kinds = {dict: "an object", list: "an array", str: "a string", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
