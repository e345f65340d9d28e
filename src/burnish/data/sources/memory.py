"""Rows from Python: a list of dicts, a dict of lists, a pandas DataFrame, a pyarrow Table, a datasets.Dataset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from typing import Any

from pydantic import Field

from burnish.core.errors import UserError
from burnish.data.sources._contract import BadRow, Row, Source
from burnish.data.sources._labels import decode, decoders_of

ROWS_AT_ONCE = 1024
ACCEPTED = "a list of dicts, a dict of lists, a pandas DataFrame, a pyarrow Table or a datasets.Dataset"

Values = Iterator[Any]


class Memory(Source):
    """Rows that a Python program holds. They are told apart by what they can do, so that no library is imported."""

    data: Any = Field(exclude=True, repr=False)
    """The rows. They are never written into a recipe; only their number is."""

    def place(self) -> str:
        return "rows given from Python"

    def as_recipe(self) -> dict[str, Any]:
        return {"name": self.part_name, "n_rows": self.n_rows}

    @property
    def n_rows(self) -> int:
        if isinstance(self.data, Mapping):
            return max((len(column) for column in self.data.values() if isinstance(column, Sized)), default=0)
        return len(self.data) if isinstance(self.data, Sized) else 0

    def rows(self) -> Iterator[Row | BadRow]:
        _, reader = form_of(self.data)
        number = 0
        for number, values in enumerate(reader(self.data), 1):
            if isinstance(values, Mapping):
                yield Row(number, {str(name): value for name, value in values.items()})
            else:
                yield BadRow(number, f"the row is a {type(values).__name__}, not a dict of column and value.")
        if not number:
            raise UserError(f"{self.place()}: there are none.")

    def facts(self) -> dict[str, str]:
        return {"given as": form_of(self.data)[0], "rows": f"{self.n_rows:,}"}


def form_of(data: Any) -> tuple[str, Callable[[Any], Values]]:
    """What `data` is, and the function that streams its rows.

    Raises:
        UserError: it is none of the accepted forms.
    """
    for name, is_it, reader in _FORMS:
        if is_it(data):
            return name, reader
    if hasattr(data, "__next__"):
        raise UserError(f"rows given from Python: a {type(data).__name__} can be read only once; give a list.")
    raise UserError(f"rows given from Python: a {type(data).__name__} cannot be read; give {ACCEPTED}.")


def _is_dataset_dict(data: Any) -> bool:
    return isinstance(data, Mapping) and hasattr(data, "column_names")


def _has(*names: str) -> Callable[[Any], bool]:
    return lambda data: all(hasattr(data, name) for name in names)


def _refuse_dataset_dict(data: Any) -> Values:
    raise UserError(f"rows given from Python: this holds the splits {', '.join(data)}; give one of them.")


def _dict_rows(data: Mapping[str, Any]) -> Values:
    lengths = {name: len(column) if _is_column(column) else -1 for name, column in data.items()}
    for name, length in lengths.items():
        if length < 0:
            raise UserError(
                f"rows given from Python: '{name}' holds a {type(data[name]).__name__}, not a list of values."
            )
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
        raise UserError(f"rows given from Python: the columns differ in length ({counts}).")
    for start in range(0, max(lengths.values(), default=0), ROWS_AT_ONCE):
        parts = [_plain(column[start : start + ROWS_AT_ONCE]) for column in data.values()]
        for cells in zip(*parts, strict=True):
            yield dict(zip(data, cells, strict=True))


def _is_column(column: Any) -> bool:
    return (
        isinstance(column, Sized) and hasattr(column, "__getitem__") and not isinstance(column, str | bytes | Mapping)
    )


def _plain(column: Any) -> Any:
    """A slice of a column as Python values: numpy, pandas and pyarrow know how."""
    for method in ("tolist", "to_pylist"):
        if hasattr(column, method):
            return getattr(column, method)()
    return column


def _pandas_rows(frame: Any) -> Values:
    _refuse_double([str(name) for name in frame.columns])
    for start in range(0, len(frame), ROWS_AT_ONCE):
        chunk = frame.iloc[start : start + ROWS_AT_ONCE]
        # pandas has four ways to say "missing" (None, NaN, NaT, NA), of which only one is a missing value elsewhere
        yield from chunk.astype(object).where(chunk.notna(), None).to_dict("records")


def _arrow_rows(table: Any) -> Values:
    _refuse_double(table.schema.names)
    for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _dataset_rows(data: Any) -> Values:
    decoders = decoders_of(data.features)
    for chunk in data.with_format(None).iter(batch_size=ROWS_AT_ONCE):
        for cells in zip(*chunk.values(), strict=True):
            yield decode(dict(zip(chunk, cells, strict=True)), decoders)


def _refuse_double(names: Sequence[str]) -> None:
    twice = next((name for position, name in enumerate(names) if name in names[:position]), None)
    if twice is not None:
        raise UserError(f"rows given from Python: two columns are named '{twice}'; give each a name of its own.")


_FORMS: tuple[tuple[str, Callable[[Any], bool], Callable[[Any], Values]], ...] = (
    ("DatasetDict", _is_dataset_dict, _refuse_dataset_dict),
    ("dict of lists", lambda data: isinstance(data, Mapping), _dict_rows),
    ("pandas DataFrame", _has("iloc", "columns", "notna"), _pandas_rows),
    ("pyarrow Table", _has("to_batches", "schema"), _arrow_rows),
    ("datasets.Dataset", _has("features", "with_format", "iter", "__len__"), _dataset_rows),
    ("list of dicts", lambda data: isinstance(data, Sequence) and not isinstance(data, str | bytes), iter),
)
