"""Cells between commas (or ; tab |), quoted where needed: the usual export of a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import Field, field_validator, model_validator

from burnish.data.encodings import Encoding, detect
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._delimited import Layout, check_names, rows_of, sniff_delimiter


class Csv(Source):
    """A file of comma-separated values as RFC 4180 has them."""

    suffixes: ClassVar[tuple[str, ...]] = (".csv",)

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    delimiter: str | None = Field(default=None, min_length=1, max_length=1)
    """The character between cells; null finds it from the first lines: comma, semicolon, tab or `|`."""

    has_header: bool = True
    """Whether the first line names the columns."""

    names: tuple[str, ...] = ()
    """Names of the columns, for a file without a header or in place of the header's own."""

    @field_validator("delimiter")
    @classmethod
    def _delimiter_parts_cells(cls, value: str | None) -> str | None:
        if value is not None and value in '"\r\n\0':
            raise ValueError("a quote or a line end cannot part cells")
        return value

    @model_validator(mode="after")
    def _names_are_known(self) -> Csv:
        check_names(self.has_header, self.names)
        return self

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        return rows_of(self.path, self._encoding, self._layout)

    def facts(self) -> dict[str, str]:
        return {**self._encoding.facts(), "delimiter": self._layout.delimiter_name()}

    @cached_property
    def _encoding(self) -> Encoding:
        return detect(self.path, self.encoding)

    @cached_property
    def _layout(self) -> Layout:
        delimiter = self.delimiter or sniff_delimiter(self.path, self._encoding)
        return Layout(delimiter, True, self.has_header, self.names)
