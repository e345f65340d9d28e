"""Blocks of lines with columns, as CoNLL files have them: gathered line by line into sentences."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from burnish.core.errors import UserError
from burnish.data.lines import BadLine
from burnish.data.sources._contract import BadRow

SENTENCE_LIMIT = 100_000
"""Most words of one sentence; more means that the blank lines between sentences are missing."""

DOCUMENT_START = "-DOCSTART-"


@dataclass(slots=True)
class Sentence:
    """One block: its first line, its words, and their tags as the file has them."""

    line: int
    tokens: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)


class BlockReader:
    """Takes lines that are not blank; `end`, called at each blank line, gives the block that they made."""

    def __init__(self, place: str, token_column: int, tag_column: int, has_comments: bool) -> None:
        self._place = place
        self._token_column = token_column
        self._tag_column = tag_column
        self._has_comments = has_comments
        self._n_columns = 0
        self._sentence: Sentence | None = None
        self._fault: BadRow | None = None

    def take(self, line: int, text: str | BadLine) -> None:
        """One line that is not blank. Raises `UserError` when the file's first line lacks the columns asked for."""
        if isinstance(text, BadLine):
            self._fault = self._fault or BadRow(line, str(text))
            return
        if self._has_comments and self._sentence is None and (text.startswith("# ") or text.strip() == "#"):
            return
        cells = _cells(text)
        if DOCUMENT_START in cells:
            return
        if not self._n_columns:
            self._n_columns = len(cells)
            self._check_columns(line)
        self._sentence = self._sentence or Sentence(line)
        if self._fault is None:
            self._fault = self._add(line, cells)

    def end(self) -> Iterator[Sentence | BadRow]:
        """The block taken since the last end: a sentence, its first fault, or nothing."""
        ended = self._fault or self._sentence
        self._sentence = self._fault = None
        if ended is not None:
            yield ended

    def _add(self, line: int, cells: list[str]) -> BadRow | None:
        """Add a word to the sentence, or say what is wrong with its line."""
        sentence = self._sentence
        assert sentence is not None
        if len(cells) != self._n_columns:
            return BadRow(
                line,
                f"the line has {len(cells)} columns where the lines above have {self._n_columns}; "
                "give each word the same columns, and part sentences by a blank line.",
            )
        token, tag = cells[self._token_column], cells[self._tag_column]
        if not token.strip("\ufeff\u200b") or not tag.strip():
            return BadRow(line, f"the {'tag' if token.strip() else 'word'} is empty; fill it in, or remove the line.")
        if len(sentence.tokens) == SENTENCE_LIMIT:
            return BadRow(
                sentence.line,
                f"the sentence has over {SENTENCE_LIMIT:,} words; put a blank line after each sentence.",
            )
        sentence.tokens.append(token)
        sentence.tags.append(tag)
        return None

    def _check_columns(self, line: int) -> None:
        n = self._n_columns
        for name, column in (("token_column", self._token_column), ("tag_column", self._tag_column)):
            if not -n <= column < n:
                raise UserError(
                    f"{self._place}:{line}: there is no column {column} for {name}; the line has {n}, counted from 0."
                )
        if self._token_column % n == self._tag_column % n:
            raise UserError(
                f"{self._place}:{line}: token_column {self._token_column} and tag_column {self._tag_column} are the "
                f"same column, for the line has {n}; put a tab or a space between a word and its tag, or choose others."
            )


def _cells(text: str) -> list[str]:
    """Columns of a line: between tabs if it has any (a word may then be a space), else between runs of spaces."""
    bare = text.rstrip("\r\n")
    return bare.split("\t") if "\t" in bare else [cell for cell in bare.split(" ") if cell]
