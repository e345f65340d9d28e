"""Plain text to learn from: documents between blank lines, or a line each; also packed as .txt.gz."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from pydantic import Field

from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._documents import Documents, Mark


class Text(Source):
    """A file without columns. A row is a document: its `text`, and its number as `document`."""

    suffixes = (".txt",)

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    document: Mark = "auto"
    """What a document is: `paragraph` (blank lines part them), `line`, or `auto`: paragraphs where there are any."""

    join: int = Field(default=1, ge=1)
    """How many paragraphs or lines, one after the other, make a document: for files that do not mark their own."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        for found in self._documents:
            if isinstance(found, BadRow):
                yield found
            else:
                yield Row(found.line, {"text": "\n".join(found.lines), "document": str(found.number)})

    def facts(self) -> dict[str, str]:
        return self._documents.facts()

    @cached_property
    def _documents(self) -> Documents:
        return Documents(self.path, self.encoding, self.document, self.join)
