"""A numbered sentence in quotes, its relation on the next line, then a comment: the form of SemEval-2010 Task 8."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, detect, open_text
from burnish.data.lines import BadLine, numbered
from burnish.data.sources._contract import BadRow, Row, Source

_SENTENCE = re.compile(r'(\d+)\t"(.*)"')
_COMMENT = "Comment"


class Semeval(Source):
    """A file such as TRAIN_FILE.TXT (Hendrickx et al. 2010). A row is `id`, `text` with its <e1> and <e2>, `label`.

    A file of sentences alone, as TEST_FILE.TXT has them, is read too; its labels are empty.
    """

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        row: Row | None = None
        has_rows = False
        for line, text in self._lines():
            found = _SENTENCE.fullmatch(text) if isinstance(text, str) else None
            if found:
                yield from [row] if row else []
                has_rows, row = True, Row(line, {"id": found[1], "text": found[2], "label": None})
            elif isinstance(text, str) and row and row.values["label"] is None:
                row.values["label"] = text
            else:
                has_rows = True
                yield BadRow(line, _problem(text))
        yield from [row] if row else []
        if not has_rows:
            raise UserError(f"{self.path}: has no sentences.")

    def facts(self) -> dict[str, str]:
        return self._encoding.facts()

    @cached_property
    def _encoding(self) -> Encoding:
        return detect(self.path, self.encoding)

    def _lines(self) -> Iterator[tuple[int, str | BadLine]]:
        """Lines that are neither blank nor a comment, without white space around them."""
        with open_text(self.path, self._encoding) as stream:
            for line, text in numbered(stream):
                bare = text.strip() if isinstance(text, str) else text
                if isinstance(bare, BadLine) or (bare and not bare.startswith(_COMMENT)):
                    yield line, bare


def _problem(text: str | BadLine) -> str:
    if isinstance(text, BadLine):
        return str(text)
    return (
        f"'{text[:60]}' is neither a sentence (a number, a tab, and the sentence in quotes) nor the one line with the "
        "relation of the sentence above."
    )
