"""Pictures and their captions: a line is a picture's name, `#`, a number, a tab and a caption, as in Flickr8k."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Literal, NamedTuple

from burnish.core.errors import UserError
from burnish.data.encodings import Encoding, detect, open_text
from burnish.data.lines import BadLine, numbered
from burnish.data.sources._contract import BadRow, Row, Source

_CAPTION = re.compile(r"([^\t#]+)#\d+\s+(.*\S)\s*")


class _Line(NamedTuple):
    number: int
    image: str
    caption: str
    problem: str = ""


class Flickr(Source):
    """A file such as Flickr8k.token.txt (Hodosh et al. 2013). A row is `image`, its path, and `text`, all its captions.

    The lines of one picture stand together.
    """

    path: Path
    """The file."""

    pictures: str = "images"
    """The folder with the pictures, seen from the file's."""

    absent: Literal["keep", "skip"] = "keep"
    """What becomes of pictures that are not in the folder: `keep` them as rows, which a task then reports, or `skip`
    and count them in the data card."""

    encoding: str = "auto"
    """Text encoding: `auto` (UTF-8, UTF-16 with a byte-order mark, GB18030), or a codec's name."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        n_rows = 0
        for image, group in groupby(self._lines(), key=lambda line: line.image):
            lines = list(group)
            if lines[0].problem:
                n_rows += 1
                yield from (BadRow(line.number, line.problem) for line in lines)
            elif self.absent == "keep" or self._is_there(image):
                n_rows += 1
                yield Row(
                    lines[0].number, {"image": f"{self.pictures}/{image}", "text": [one.caption for one in lines]}
                )
        if not n_rows:
            raise UserError(f"{self.path}: has no captions of pictures in {self.path.parent / self.pictures}.")

    def facts(self) -> dict[str, str]:
        if self.absent == "keep":
            return self._encoding.facts()
        names = {line.image for line in self._lines() if not line.problem}
        n_absent = sum(not self._is_there(name) for name in names)
        return {**self._encoding.facts(), "pictures that are not there": f"{n_absent:,} of {len(names):,}, skipped"}

    def _is_there(self, image: str) -> bool:
        return (self.path.parent / self.pictures / image).is_file()

    @cached_property
    def _encoding(self) -> Encoding:
        return detect(self.path, self.encoding)

    def _lines(self) -> Iterator[_Line]:
        with open_text(self.path, self._encoding) as stream:
            for number, text in numbered(stream):
                if isinstance(text, BadLine):
                    yield _Line(number, "", "", str(text))
                elif found := _CAPTION.fullmatch(text):
                    yield _Line(number, found[1].strip(), found[2])
                elif text.strip():
                    problem = f"'{text.strip()[:60]}' is not a picture's name, #, a number, a tab and a caption."
                    yield _Line(number, "", "", problem)
