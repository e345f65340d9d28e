"""Parquet: typed columns in a compressed binary file, read a batch at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.data.paths import require_file
from burnish.data.sources._contract import BadRow, Row, Source

ROWS_AT_ONCE = 1024
BUFFER_BYTES = 1 << 20


class Parquet(Source):
    """A parquet file. Rows are counted from 1, because it has no lines."""

    suffixes: ClassVar[tuple[str, ...]] = (".parquet", ".pq")

    path: Path
    """The file."""

    def place(self) -> str:
        return str(self.path)

    def rows(self) -> Iterator[Row | BadRow]:
        pa = need("pyarrow", "train")
        try:
            with self._opened() as file:
                number = 0
                for batch in file.iter_batches(batch_size=ROWS_AT_ONCE):
                    for values in batch.to_pylist():
                        number += 1
                        yield Row(number, values)
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{self.path}: {_damaged(error)}") from None
        if not number:
            raise UserError(f"{self.path}: has columns, but no rows.")

    def facts(self) -> dict[str, str]:
        with self._opened() as file:
            return {"format": f"parquet {file.metadata.format_version}", "rows": f"{file.metadata.num_rows:,}"}

    def _opened(self) -> Any:
        """The file, read through a buffer so that a huge row group does not lie in memory whole."""
        pa, pq = need("pyarrow", "train"), need("pyarrow.parquet", "train")
        require_file(self.path)
        try:
            file = pq.ParquetFile(self.path, pre_buffer=False, buffer_size=BUFFER_BYTES)
        except (pa.ArrowException, OSError) as error:
            raise UserError(f"{self.path}: {_damaged(error)}") from None
        names = file.schema_arrow.names
        twice = next((name for position, name in enumerate(names) if name in names[:position]), None)
        if twice is not None:
            raise UserError(f"{self.path}: two columns are named '{twice}'; give each column a name of its own.")
        return file


def _damaged(error: Exception) -> str:
    reason = str(error).split("\n", maxsplit=1)[0].rstrip(".")
    return f"cannot be read as parquet; the file is damaged, cut off, or of another format ({reason})."
