"""`burnish feedback`: what users said of answers."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from burnish.cli.lists import moment, print_table
from burnish.cli.say import say
from burnish.cli.screen import watching
from burnish.core.errors import UserError, hint, listed

if TYPE_CHECKING:
    from burnish.store.records import FeedbackState

STATES = ("accepted", "quarantined", "rejected")
FORMS = {".csv": "csv", ".jsonl": "jsonl", ".json": "label_studio"}


def feedback(
    name: Annotated[str, typer.Argument(help="The name in service, e.g. intent.")],
    decide: Annotated[
        list[str] | None,
        typer.Option("--decide", metavar="ID=STATE", help="accepted, quarantined or rejected; repeatable."),
    ] = None,
    out: Annotated[Path | None, typer.Option("--export", help="Write it to a file for a tool.")] = None,
    ask: Annotated[
        int | None, typer.Option("--next", min=1, help="Write so many answers to be looked at instead.")
    ] = None,
    taken: Annotated[Path | None, typer.Option("--import", help="Take in what a tool's file says.")] = None,
    form: Annotated[
        str | None, typer.Option("--format", help="csv, jsonl, doccano, label_studio; else by the file's suffix.")
    ] = None,
) -> None:
    """What was said of a model's answers; decide on it, or exchange it with labelling tools."""
    if sum(map(bool, (decide, out, taken))) > 1:
        raise UserError("give one of --decide, --export and --import.")
    if ask is not None and out is None:
        raise UserError("--next needs a file to write them to: --export FILE.")
    if decide:
        _decide(decide)
    elif out is not None:
        _write(name, out, form or _form(out), ask)
    elif taken is not None:
        from burnish.flows.feedback import import_feedback

        with watching() as listen:
            n_taken = import_feedback(name, taken, form or _form(taken), listen)
        say(f"took in {n_taken:,}", "good")
    else:
        from burnish.flows.feedback import overview

        _tell(overview(name))


def _decide(said: list[str]) -> None:
    from burnish.flows.feedback import decide

    for state, identities in _decisions(said).items():
        say(f"{decide(identities, cast('FeedbackState', state)):,} {state}", "good")


def _write(name: str, out: Path, form: str, ask: int | None) -> None:
    from burnish.flows.feedback import export_feedback, export_next

    done = export_feedback(name, out, form) if ask is None else export_next(name, out, form, ask)
    left = f"; {done.n_left_out:,} left out, whose inputs were not kept" if done.n_left_out else ""
    say(f"wrote {done.n_written:,} to {out}{left}", "good")


def _tell(found) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001  # its type would load what --help needs not
    rows = [
        [one.id, moment(one.at), f"{one.name}:{one.version}", one.key, one.kind, one.value, one.state, one.reason]
        for one in found.feedback[-200:]
    ]
    print_table(["id", "at", "of", "by", "kind", "value", "state", "why"], rows)
    if found.unread:
        from burnish.feedback.opinions import told_unread

        say(told_unread(found.unread), "warning")
    agree = "" if math.isnan(found.agreement) else f"; users agree with alpha {found.agreement:.2f}"
    say(f"{len(found.feedback):,} in all; on {found.n_conflicts:,} inputs users contradict each other{agree}")


def _decisions(said: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in said:
        identity, _, state = one.partition("=")
        if state not in STATES:
            raise UserError(
                f"--decide {one}: there is no state '{state}'.{hint(state, STATES)} There are {listed(STATES)}."
            )
        found.setdefault(state, []).append(identity)
    return found


def _form(path: Path) -> str:
    if path.suffix.lower() not in FORMS:
        raise UserError(f"{path}: its suffix tells no format; say --format csv, jsonl, doccano or label_studio.")
    return FORMS[path.suffix.lower()]
