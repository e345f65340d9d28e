"""A word and its tags on each line, a blank line after each sentence: the form of CoNLL-2003."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import ClassVar, Literal

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, detect, open_text
from burnish.data.lines import numbered
from burnish.data.sources._blocks import BlockReader, Sentence
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.tagging import FoundScheme, find_scheme, to_iob2


class Conll(Source):
    """A file of columns between tabs or spaces. A row is a sentence: `tokens` and `tags`, the tags in IOB2."""

    suffixes: ClassVar[tuple[str, ...]] = (
        ".conll", ".conll2003", ".bio", ".iob", ".iob2", ".bioes", ".bmes", ".train", ".testa", ".testb",
    )  # fmt: skip

    path: Path
    """The file."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    token_column: int = 0
    """Which column holds the word; 0 is the first, -1 the last."""

    tag_column: int = -1
    """Which column holds the tag; 0 is the first, -1 the last."""

    scheme: Literal["auto", "iob1", "iob2", "bioes", "bmes", "plain"] = "auto"
    """How tags spell spans; `plain` leaves them as they are; `auto` finds it from all tags of the file."""

    comments: bool = False
    """Whether lines that start with `# ` before a sentence's first word are skipped, as in CoNLL-U."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        scheme = self._found_scheme.name if self.scheme == "auto" else self.scheme
        n_rows = 0
        for sentence in self._sentences():
            n_rows += 1
            yield sentence if isinstance(sentence, BadRow) else _converted(sentence, scheme)
        if not n_rows:
            raise UserError(f"{self.path}: has no sentences.")

    def facts(self) -> dict[str, str]:
        found = self._found_scheme
        facts = {**self._encoding.facts(), "tag scheme": found.name if self.scheme == "auto" else self.scheme}
        if facts["tag scheme"] not in ("plain", "iob1") and found.n_without_begin:
            facts["tags repaired"] = (
                f"{found.n_without_begin:,} go on with a span that nothing began; each now begins one"
            )
        return facts

    @cached_property
    def _encoding(self) -> Encoding:
        return detect(self.path, self.encoding)

    @cached_property
    def _found_scheme(self) -> FoundScheme:
        return find_scheme(item.tags for item in self._sentences() if isinstance(item, Sentence))

    def _sentences(self) -> Iterator[Sentence | BadRow]:
        reader = BlockReader(str(self.path), self.token_column, self.tag_column, self.comments)
        with open_text(self.path, self._encoding) as stream:
            for line, text in numbered(stream):
                if isinstance(text, str) and not text.strip(" \t\r\n"):
                    yield from reader.end()
                else:
                    reader.take(line, text)
        yield from reader.end()


def _converted(sentence: Sentence, scheme: str) -> Row | BadRow:
    try:
        tags = to_iob2(sentence.tags, scheme)
    except ValueError as error:
        return BadRow(sentence.line, f"{error}; set `scheme` to the one that the file uses, or to auto.")
    return Row(sentence.line, {"tokens": sentence.tokens, "tags": tags})
