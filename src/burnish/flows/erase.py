"""`erase`: predictions are forgotten, by who asked or by what was asked."""

from __future__ import annotations

from contextlib import closing
from typing import Any, cast

from burnish.core.errors import UserError
from burnish.core.settings import settings
from burnish.core.shelves import Shelf
from burnish.flows.recording import digest_of
from burnish.store.home import Home, opened_home, whoami
from burnish.tasks._contract import Task


def erase(*, key: str | None = None, subject: str | None = None, text: str | None = None) -> int:
    """Delete what a key asked, or a subject of the trusted issuer, or what was answered to exactly this text, and all
    feedback on it.

    Returns:
        How many predictions there were.

    Raises:
        UserError: there is no such key, or no issuer is trusted that could have such a subject.
    """
    issuer = settings().oidc_issuer
    if subject is not None and not issuer:
        raise UserError("a subject is one of an issuer; say of which by BURNISH_OIDC_ISSUER, as the server has it.")
    with opened_home() as home:
        move_journal(home)
        if subject is not None:
            return home.predictions.erase(whoami(), key=home.subject_of(issuer, subject))
        if key is not None:
            return home.predictions.erase(whoami(), key=home.keys.find(key).id)
        return erase_input(home, text or "", whoami())


def erase_input(home: Home, said: str | dict[str, Any], by: str) -> int:
    """Delete what was answered to an input: a text, as every model that was released reads it, or a row."""
    rows = [said] if isinstance(said, dict) else [{column: said} for column in sorted(_text_columns(home))]
    return sum(home.predictions.erase(by, input_digest=digest_of(home, row)) for row in rows)


def move_journal(home: Home) -> None:
    """Bring what was answered a moment ago into the database."""
    with closing(home.journal()) as journal:
        journal.flush(of_others=True)


def _text_columns(home: Home) -> set[str]:
    """The first column of texts of each task that was ever released, in production or not."""
    known = Shelf("tasks")
    tasks = [cast("type[Task]", known.get(name)) for name in {one.task for one in home.releases.all()}]
    return {column for task in tasks for column in task.texts[:1]}
