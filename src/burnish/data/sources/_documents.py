"""Documents of a plain text file: paragraphs between blank lines, lines, or several of these, one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal, NamedTuple

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, detect, open_text
from burnish.data.lines import BadLine, numbered
from burnish.data.sources._contract import BadRow

Mark = Literal["auto", "paragraph", "line"]

MOST_CHARACTERS = 200_000
"""Of one row. A longer document goes on in the next row from its next line, so that no file lies in memory whole."""


class Document(NamedTuple):
    """Lines that belong together. `line` is where it starts in the file; `number` counts documents, from 1."""

    line: int
    number: int
    lines: list[str]


@dataclass(frozen=True)
class Documents:
    """A file of documents of `join` paragraphs or lines each."""

    path: Path
    named_encoding: str
    mark: Mark
    join: int

    @cached_property
    def encoding(self) -> Encoding:
        return detect(self.path, self.named_encoding)

    @cached_property
    def is_paragraphs(self) -> bool:
        """Whether blank lines part documents; where it is left open, whether one stands between two with text."""
        return self.mark == "paragraph" or (self.mark == "auto" and self._has_gap())

    def _has_gap(self) -> bool:
        was_blank, has_text = False, False
        with open_text(self.path, self.encoding) as stream:
            for _, text in numbered(stream):
                is_blank = isinstance(text, str) and not text.strip()
                if has_text and was_blank and not is_blank:
                    return True
                was_blank, has_text = is_blank, has_text or not is_blank
        return False

    def facts(self) -> dict[str, str]:
        """For the data card."""
        unit = "paragraph" if self.is_paragraphs else "line"
        return {
            **self.encoding.facts(),
            "a document": f"a {unit}" if self.join == 1 else f"{self.join} {unit}s, one after the other",
        }

    def __iter__(self) -> Iterator[Document | BadRow]:
        """In order, streamed.

        Raises:
            UserError: there is no text in the file.
        """
        gathering, n_found = _Gathering(self.join), 0
        with open_text(self.path, self.encoding) as stream:
            for number, text in numbered(stream):
                if isinstance(text, BadLine):
                    yield BadRow(number, str(text))
                    continue
                for document in gathering.take(number, text.strip(), ends_piece=not self.is_paragraphs):
                    n_found += 1
                    yield document
        for document in gathering.rest():
            n_found += 1
            yield document
        if not n_found:
            raise UserError(f"{self.path}: holds no text.")


@dataclass
class _Gathering:
    """Lines on their way to be a document."""

    join: int
    number: int = 1
    line: int = 0
    n_pieces: int = 0
    is_open: bool = False
    size: int = 0
    lines: list[str] = field(default_factory=list)

    def take(self, line: int, text: str, *, ends_piece: bool) -> Iterator[Document]:
        """The next line; gives the document that it completes, or a part of one that grows too long."""
        if text and self.lines and self.size + len(text) > MOST_CHARACTERS:
            yield self._part()
        if text:
            self.line = self.line if self.lines else line
            self.lines.append(text)
            self.size += len(text)
        is_end = bool(text) if ends_piece else self.is_open and not text
        self.is_open = bool(text) and not is_end
        if is_end:
            self.n_pieces += 1
            if self.n_pieces == self.join:
                yield from self.rest()
                self.number, self.n_pieces = self.number + 1, 0

    def rest(self) -> Iterator[Document]:
        if self.lines:
            yield self._part()

    def _part(self) -> Document:
        done = Document(self.line, self.number, self.lines)
        self.lines, self.size = [], 0
        return done
