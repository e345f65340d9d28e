"""`shrink`: the fastest model that keeps to a budget, proved to answer as the judged one does."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from burnish.bundle.bundle import open_bundle
from burnish.compression.frontier import Budget, Frontier
from burnish.compression.written import writes
from burnish.core.errors import Faults, UserError, hint, listed
from burnish.core.events import Listener, Message, ignore
from burnish.core.files import disk_faults, new_folder, refuse_occupied
from burnish.evaluation.findings import Report
from burnish.flows.shrinking import Workshop, chains
from burnish.flows.shrunk import write_shrunk
from burnish.flows.trying import Search

QUICK = ("int8_dynamic", "int8_static", "vocabulary, int8_static")
THOROUGH = (
    "width, int8_static",
    "heads, width, int8_static",
    "{name: distill, layers: 3}, vocabulary, int8_static",
)
WRITING = ("int8_weights", "int4_weights")
"""Chains that are tried where none are asked for, the cheapest first, for encoders and for models that write. Those
that train a smaller network are tried when they are asked for, or when no quick one keeps to the budget.
"""


@dataclass(frozen=True)
class ShrinkResult:
    """What was tried, and the bundle; None where nothing keeps to the budget."""

    frontier: Frontier
    bundle: Path | None
    report: Report | None


def shrink(
    bundle: str | Path,
    overrides: Sequence[str] = (),
    *,
    out: str | Path | None = None,
    ways: Sequence[str] = (),
    listen: Listener = ignore,
    **limits: Any,
) -> ShrinkResult:
    """Shrink a bundle within an accuracy budget; the bundle itself stays as it is.

    Args:
        bundle: its folder.
        overrides: of its recipe, e.g. `data.train=rows.csv`: the rows must be those that it was made from.
        out: the new bundle's folder; None takes `<bundle>-small`.
        ways: chains of methods to try, e.g. `vocabulary, int8_static`; empty takes the usual quick ones and, where none
            keeps to the budget, those that train a smaller network; `thorough` stands for all of them.
        listen: is told of progress.
        limits: `max_drop`, points (hundredths) of the task's score that may be lost on dev at 95 % confidence (0.5);
            `target_ms`, most milliseconds of the median single answer; `target_mb`, most megabytes of the model;
            `keep`, the least F1 of labels, e.g. `{"refund": 0.9}`.

    Raises:
        UserError: the bundle, its rows or what is asked for cannot be used; nothing is written.
    """
    started = time.monotonic()
    opened = open_bundle(bundle)
    budget = _budget(limits, opened.knowledge.labels)
    target = _target(opened.folder, out)
    quick, thorough = (WRITING, ()) if writes(opened.knowledge.task) else (QUICK, THOROUGH)
    asked = chains([way for one in ways for way in ((*quick, *thorough) if one == "thorough" else (one,))])
    with tempfile.TemporaryDirectory(prefix="burnish-shrink-") as work, disk_faults(Path(work)):
        search = Search(Workshop.opened(opened, overrides, Path(work), listen), budget)
        search.try_all(asked or chains(quick))
        if not asked and search.best is None:
            search.try_all(chains(thorough))
        if search.best is None:
            return ShrinkResult(search.frontier(), None, None)
        with new_folder(target) as folder:
            report = write_shrunk(folder, search, search.best, started)
    listen(Message(f"wrote {target}", "good"))
    return ShrinkResult(search.frontier(), target, report)


def _target(bundle: Path, out: str | Path | None) -> Path:
    """Where the new bundle goes.

    Raises:
        UserError: something is there, it cannot be written, or it lies in the bundle that stays as it is.
    """
    own = bundle if bundle.name not in ("", "..") else bundle.resolve()
    target = own.with_name(f"{own.name}-small") if out is None else Path(out)
    if target.resolve().is_relative_to(bundle.resolve()):
        raise UserError(
            f"{target}: lies in the bundle that is shrunk, which stays as it is; choose another with --out."
        )
    refuse_occupied(target)
    return target


def _budget(limits: Mapping[str, Any], labels: tuple[str, ...]) -> Budget:
    faults = Faults()
    for name in limits.keys() - Budget.model_fields.keys():
        faults.add(f"'{name}' is no limit.{hint(name, Budget.model_fields)} There are: {listed(Budget.model_fields)}.")
    faults.raise_if_any()
    try:
        budget = Budget(**limits)
    except ValidationError as error:
        told = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}; got {one['input']!r}." for one in error.errors()]
        raise UserError(*told) from None
    if budget.keep and not labels:
        raise UserError("keep: the bundle has no labels whose F1 could be kept; take it out.")
    for label in budget.keep:
        if label not in labels:
            faults.add(f"keep: there is no label '{label}'.{hint(label, labels)} The bundle has: {listed(labels)}.")
    faults.raise_if_any()
    return budget
