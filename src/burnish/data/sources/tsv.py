"""Cells between tabs, quotes taken as plain characters: common for Chinese corpora."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from pydantic import model_validator

from burnish.data.encodings import Encoding, detect
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._delimited import Layout, check_names, rows_of


class Tsv(Source):
    """A file of tab-separated values. Without quoting a cell can hold neither a tab nor a line end."""

    suffixes: ClassVar[tuple[str, ...]] = (".tsv", ".tab")

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    is_quoted: bool = False
    """Whether double quotes enclose cells, as in csv. Off, because titles hold stray quotes."""

    has_header: bool = True
    """Whether the first line names the columns."""

    names: tuple[str, ...] = ()
    """Names of the columns, for a file without a header or in place of the header's own."""

    @model_validator(mode="after")
    def _names_are_known(self) -> Tsv:
        check_names(self.has_header, self.names)
        return self

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        layout = Layout("\t", self.is_quoted, self.has_header, self.names)
        return rows_of(self.path, self._encoding, layout)

    def facts(self) -> dict[str, str]:
        return self._encoding.facts()

    @cached_property
    def _encoding(self) -> Encoding:
        return detect(self.path, self.encoding)
