"""Files in a folder, such as pictures or recordings: each is a row, and its name or its folder says the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from pydantic import field_validator

from burnish.core.errors import UserError
from burnish.data.sources._contract import BadRow, Row, Source

PART = re.compile(r"\{(\w+)\}")


class Folder(Source):
    """A row for each file whose path fits `names`, in order: the column `file`, and one for each part in braces."""

    takes_folder: ClassVar[bool] = True

    path: Path
    """The folder."""

    names: str = "{label}/{name}"
    """What paths below the folder look like; each part in braces is a column. `{label}/{name}`: a folder for each
    label; `{label}_{speaker}_{take}.wav`: all of it in the file's name."""

    @field_validator("names")
    @classmethod
    def _names_have_parts(cls, value: str) -> str:
        parts = PART.findall(value)
        if not parts or len(set(parts)) < len(parts) or "file" in parts:
            raise ValueError("must name its parts once each, none of them `file`, e.g. {label}/{name}")
        return value

    def place(self) -> str:
        return str(self.path)

    def folder(self) -> Path:
        return self.path

    def rows(self) -> Iterator[Row | BadRow]:
        line = 0
        for line, (file, found) in enumerate(self._fitting(), start=1):
            yield Row(line, {"file": file, **found})
        if not line:
            raise UserError(f"{self.path}: no file in it has a path like '{self.names}'.")

    def facts(self) -> dict[str, str]:
        return {"files": f"{sum(1 for _ in self._fitting()):,} like {self.names}"}

    def _fitting(self) -> Iterator[tuple[str, dict[str, str | Any]]]:
        """The path of each file that fits, below the folder, with its parts."""
        pattern = self._pattern()
        for file in sorted(self.path.rglob("*")):
            below = file.relative_to(self.path).as_posix()
            if (found := pattern.fullmatch(below)) and file.is_file():
                yield below, found.groupdict()

    def _pattern(self) -> re.Pattern[str]:
        """A part is anything but `/`, as short as what follows it allows."""
        pieces = PART.split(self.names)
        words = [f"(?P<{piece}>[^/]+?)" if number % 2 else re.escape(piece) for number, piece in enumerate(pieces)]
        return re.compile("".join(words))
