"""`erase`: predictions are forgotten, by who asked or by what was asked."""

from __future__ import annotations

from typing import Any

from burnish.bundle.bundle import open_bundle
from burnish.flows.recording import digest_of
from burnish.store.home import Home, opened_home, whoami
from burnish.store.releases import PRODUCTION


def erase(*, key: str | None = None, text: str | None = None) -> int:
    """Delete what a key asked, or what was answered to exactly this text, and all feedback on it.

    Returns:
        How many predictions there were.

    Raises:
        UserError: there is no such key.
    """
    with opened_home() as home:
        move_journal(home)
        if key is not None:
            return home.predictions.erase(whoami(), key=home.keys.find(key).id)
        return erase_input(home, text or "", whoami())


def erase_input(home: Home, said: str | dict[str, Any], by: str) -> int:
    """Delete what was answered to an input: a text, as every model in production reads it, or a row."""
    rows = [said] if isinstance(said, dict) else [{column: said} for column in sorted(_text_columns(home))]
    return sum(home.predictions.erase(by, input_digest=digest_of(home, row)) for row in rows)


def move_journal(home: Home) -> None:
    """Bring what was answered a moment ago into the database."""
    journal = home.journal()
    try:
        journal.flush(of_others=True)
    finally:
        journal.close()


def _text_columns(home: Home) -> set[str]:
    """The first column of texts of each task in production."""
    tasks = [
        open_bundle(home.bundles.get(home.releases.find(f"{one.name}:{one.version}").digest)).knowledge.task
        for one in home.releases.aliases()
        if one.alias == PRODUCTION
    ]
    return {task.texts[0] for task in tasks}
