"""The sentences of plain text, one a row, or two that may follow each other: for contrastive and next_sentence."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np
from pydantic import Field

from burnish.core.errors import UserError
from burnish.core.seeds import generator
from burnish.data.sentences import sentences
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._documents import Document, Documents, Mark

N_OTHERS = 4096
"""Sentences of the whole file that are kept, evenly drawn, to stand where another document's is wanted."""
N_TRIES = 20

Other = tuple[int, str]


class Sentences(Source):
    """A file without columns. A row is a sentence as `text`, or two as `text` and `text_pair`; and its `document`.

    Of pairs, half are neighbours in the file (`follows`: yes), half have a sentence of another document as the second
    (no), drawn alike each time (Devlin et al. 2019, §3.1). A line end ends a sentence too.
    """

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    document: Mark = "auto"
    """What a document is: `paragraph` (blank lines part them), `line`, or `auto`: paragraphs where there are any."""

    join: int = Field(default=1, ge=1)
    """How many paragraphs or lines, one after the other, make a document: for files that do not mark their own."""

    pairs: bool = False
    """Whether a row is two sentences instead of one."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        if self.pairs:
            yield from self._pairs()
            return
        for found in self._documents:
            if isinstance(found, BadRow):
                yield found
                continue
            for line, sentence in _sentences(found):
                yield Row(line, {"text": sentence, "document": str(found.number)})

    def facts(self) -> dict[str, str]:
        return self._documents.facts()

    @cached_property
    def _documents(self) -> Documents:
        return Documents(self.path, self.encoding, self.document, self.join)

    def _pairs(self) -> Iterator[Row | BadRow]:
        others, draw = self._others(), generator(0, "pairs of sentences")
        for found in self._documents:
            if isinstance(found, BadRow):
                yield found
                continue
            said = list(_sentences(found))
            for (line, first), (_, second) in pairwise(said):
                other = _draw_other(others, found.number, draw) if draw.random() < 0.5 else None
                follows = {"text_pair": second, "follows": "yes"}
                values = follows if other is None else {"text_pair": other, "follows": "no"}
                yield Row(line, {"text": first, **values, "document": str(found.number)})

    def _others(self) -> list[Other]:
        """Sentences of the file with their documents, each with the same chance (reservoir sampling: Vitter 1985)."""
        draw = generator(0, "other sentences")
        kept, n_seen, numbers = list[Other](), 0, set[int]()
        for found in self._documents:
            if isinstance(found, BadRow):
                continue
            numbers |= {found.number} if len(numbers) < 2 else set()
            for _, sentence in _sentences(found):
                n_seen += 1
                at = len(kept) if len(kept) < N_OTHERS else int(draw.integers(n_seen))
                if at == len(kept):
                    kept.append((found.number, sentence))
                elif at < N_OTHERS:
                    kept[at] = (found.number, sentence)
        if len(numbers) < 2:
            raise UserError(
                f"{self.path}: holds one document only, so there is no sentence of another to tell its own from; part "
                "documents by blank lines, or set `document` and `join` of the source."
            )
        return kept


def _sentences(document: Document) -> Iterator[tuple[int, str]]:
    """Each sentence of a document with the line that it stands on."""
    for number, line in enumerate(document.lines, start=document.line):
        for sentence in sentences(line):
            yield number, sentence


def _draw_other(others: list[Other], number: int, draw: np.random.Generator) -> str | None:
    """A sentence of another document than `number`; None where none is found soon."""
    for _ in range(N_TRIES):
        owner, sentence = others[int(draw.integers(len(others)))]
        if owner != number:
            return sentence
    return None
