"""Files that belong together line by line, such as a text and its translation: the form of parallel corpora."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from functools import cached_property
from itertools import zip_longest
from pathlib import Path

from pydantic import Field, model_validator

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, detect, open_text
from burnish.data.lines import BadLine, numbered
from burnish.data.sources._contract import BadRow, Row, Source


class Lines(Source):
    """One text a line; line n of every file makes row n. An empty line is an empty text."""

    path: Path
    """The first file."""

    column: str = "text"
    """Name of the column that its lines are."""

    beside: dict[str, Path] = Field(default_factory=dict)
    """Column → another file, named as seen from the folder of the first, e.g. `{target: train.de}`."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    @model_validator(mode="after")
    def _columns_differ(self) -> Lines:
        if self.column in self.beside:
            raise ValueError(f"the column '{self.column}' is named twice; give each file a column of its own")
        return self

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        with ExitStack() as opened:
            streams = [opened.enter_context(open_text(file, self._encodings[file])) for file in self._files.values()]
            counts = [0] * len(streams)
            for together in zip_longest(*map(numbered, streams)):
                counts = [count + (one is not None) for count, one in zip(counts, together, strict=True)]
                if len(set(counts)) > 1:
                    raise UserError(self._unlike())
                yield self._row(counts[0], [one[1] for one in together if one is not None])

    def facts(self) -> dict[str, str]:
        return self._encodings[self.path].facts()

    @cached_property
    def _files(self) -> dict[str, Path]:
        return {self.column: self.path, **{name: self.path.parent / file for name, file in self.beside.items()}}

    @cached_property
    def _encodings(self) -> dict[Path, Encoding]:
        return {file: detect(file, self.encoding) for file in self._files.values()}

    def _row(self, line: int, texts: list[str | BadLine]) -> Row | BadRow:
        for file, text in zip(self._files.values(), texts, strict=True):
            if isinstance(text, BadLine):
                return BadRow(line, str(text) if file == self.path else f"(in {file.name}) {text}")
        return Row(line, {name: str(text).rstrip("\r\n") for name, text in zip(self._files, texts, strict=True)})

    def _unlike(self) -> str:
        """The sentence that tells of files which cannot belong together."""
        counts = []
        for file in self._files.values():
            with open_text(file, self._encodings[file]) as stream:
                counts.append(f"{sum(1 for _ in numbered(stream)):,} in {file.name}")
        return f"{self.path}: line n of each file makes one row, but there are {' and '.join(counts)} lines."
