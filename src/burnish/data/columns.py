"""Which of a file's columns holds what a task reads: settled once from the first row, then reused."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.core.errors import Faults, hint, listed


@dataclass(frozen=True, slots=True)
class Wanted:
    """One thing that a task reads from a row. `what` says it in words, e.g. `the text to classify`."""

    name: str
    is_required: bool
    what: str
    instead: tuple[str, ...] = ()
    """Names of others that do as well, where it is not required: it or one of them must be there."""


@dataclass(frozen=True, slots=True)
class ColumnMap:
    """The column behind each thing that a task reads; `carried` columns keep their own names."""

    columns: Mapping[str, str]
    required: frozenset[str]
    carried: tuple[str, ...] = ()

    def pick(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the task reads from one row, and the carried columns; None for what is optional and absent.

        Raises:
            ValueError: this row (of JSON, say, where each row has its own keys) lacks a required column.
        """
        picked = {name: values.get(column) for name, column in self.columns.items()}
        for name in self.required:
            if picked[name] is None and self.columns[name] not in values:
                raise ValueError(f"the row has no '{self.columns[name]}'; it has: {listed(values)}.")
        return picked | {name: values.get(name) for name in self.carried}


def map_columns(
    available: Iterable[str],
    wanted: Sequence[Wanted],
    mapping: Mapping[str, str],
    *,
    carried: Iterable[str] = (),
    where: str = "data",
    advice: str = "Set data.columns: {{{}: <one of them>}}.",
) -> ColumnMap:
    """Settle which column holds what. What `mapping` does not name is read from the column of its own name.

    `available` are the first row's columns, `where` is that row's place (`train.csv:2`), and `carried` are columns that
    something else needs (slices, a split's column). Two wanted things may share a column. `advice` is what to do where
    a required column is missing, with `{}` for its name.

    Raises:
        UserError: every fault at once: a required column that is missing, or all that would do; a mapping to a column
            that is not there, or of something the task does not read, a carried column that is not there.
    """
    present = list(available)
    faults = Faults()
    known = [item.name for item in wanted]
    for role in mapping:
        if role not in known:
            faults.add(f"data.columns: the task does not read '{role}'.{hint(role, known)} It reads: {listed(known)}.")
    for item in wanted:
        fault = _fault(item, present, mapping, where, advice)
        if fault:
            faults.add(fault)
    for name in carried:
        if name not in present:
            faults.add(f"{where}: there is no column '{name}'.{hint(name, present)} It has: {listed(present)}.")
    faults.raise_if_any()
    columns = {item.name: mapping.get(item.name, item.name) for item in wanted}
    required = frozenset(item.name for item in wanted if item.is_required or item.name in mapping)
    return ColumnMap(columns, required, tuple(name for name in carried if name not in columns))


def _fault(item: Wanted, present: Sequence[str], mapping: Mapping[str, str], where: str, advice: str) -> str | None:
    column = mapping.get(item.name, item.name)
    has_other = not item.instead or any(name in mapping or name in present for name in item.instead)
    is_needed = item.is_required or item.name in mapping or not has_other
    if column in present or not is_needed:
        return None
    near = hint(column, present)
    if item.name in mapping:
        return (
            f"{where}: there is no column '{column}', which data.columns names for '{item.name}' ({item.what}).{near} "
            f"It has: {listed(present)}."
        )
    either = "".join(f", and no '{other}' instead" for other in item.instead)
    return (
        f"{where}: there is no column '{column}' ({item.what}){either}.{near} It has: {listed(present)}. "
        f"{advice.format(item.name)}"
    )
