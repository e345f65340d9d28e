"""Everything that an installation keeps, opened together: database, bundles, journal, and the secret beside them."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from burnish.core.errors import UserError
from burnish.core.files import disk_faults, write_bytes
from burnish.core.settings import Settings, settings
from burnish.store.alerts import Alerts
from burnish.store.audit import Audit
from burnish.store.bundles import Bundles
from burnish.store.corrections import Corrections
from burnish.store.jobs import Jobs
from burnish.store.journal import Journal
from burnish.store.keys import SUBJECT, Keys
from burnish.store.locks import locked
from burnish.store.predictions import Predictions
from burnish.store.releases import Releases
from burnish.store.store import SQLITE, Store, open_store

BESIDE = "secret"
TESTS = "tests"
"""Folder of the frozen test rows of every name."""
NOTED = "audit-noted.json"
LEAST_SECRET = 32
MARK = "secret mark"
DIGITS = 24
"""Of a subject's id, hexadecimal: 96 bits."""


@dataclass(frozen=True)
class Home:
    """One installation, opened."""

    folder: Path
    store: Store
    bundles: Bundles
    secret: bytes
    """Keys the audit log and the digests of inputs; whoever has the database alone can forge and guess neither."""

    @cached_property
    def audit(self) -> Audit:
        return Audit(self.store, self.secret, self.folder / NOTED)

    @cached_property
    def releases(self) -> Releases:
        return Releases(self.store, self.audit)

    @cached_property
    def keys(self) -> Keys:
        return Keys(self.store, self.audit)

    @cached_property
    def predictions(self) -> Predictions:
        return Predictions(self.store, self.audit)

    @cached_property
    def corrections(self) -> Corrections:
        return Corrections(self.store, self.audit)

    @cached_property
    def alerts(self) -> Alerts:
        return Alerts(self.store, self.audit)

    @cached_property
    def jobs(self) -> Jobs:
        return Jobs(self.store, self.audit)

    def journal(self) -> Journal:
        """A journal of this process's own."""
        return Journal(self.folder / "journal", self.predictions.add)

    def digest_of(self, content: bytes) -> str:
        """A keyed hash, by which the same input is known again and nothing else is."""
        return hmac.new(self.secret, content, hashlib.sha256).hexdigest()

    def subject_of(self, issuer: str, subject: str) -> str:
        """The id that stands for an issuer's subject where a key's id would: who it is cannot be told from it."""
        return SUBJECT + self.digest_of(f"{issuer}\n{subject}".encode())[:DIGITS]

    def close(self) -> None:
        self.store.close()


def open_home(own: Settings | None = None) -> Home:
    """The installation that the settings name; what is new is made.

    Raises:
        UserError: it cannot be opened, or its secret is not the one that its database began with.
        StoreUnavailable: the database does not answer.
    """
    own = own or settings()
    folder = own.home_folder
    with disk_faults(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except (FileExistsError, NotADirectoryError):
            raise UserError(
                f"BURNISH_HOME: {folder} is no folder; give one, or a path where one can be made."
            ) from None
    secret = _secret(own, folder)
    store = open_store(own.database or f"{SQLITE}{folder / 'burnish.db'}")
    is_remote = "://" in own.bundles
    local = folder / "bundles" if is_remote or not own.bundles else Path(own.bundles).expanduser().absolute()
    home = Home(folder, store, Bundles(local, own.bundles if is_remote else ""), secret)
    try:
        _refuse_other_secret(home)
    except BaseException:
        store.close()
        raise
    return home


@contextmanager
def opened_home() -> Iterator[Home]:
    """The same, closed when the block ends."""
    home = open_home()
    try:
        yield home
    finally:
        home.close()


def whoami() -> str:
    """Who works on the command line, for the audit log."""
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError):  # no name for this number, as in some containers
        return f"user {os.getuid()}"


def _secret(own: Settings, folder: Path) -> bytes:
    if own.secret is not None:
        given = own.secret.get_secret_value().strip().encode()
        if len(given) < LEAST_SECRET:
            raise UserError(f"BURNISH_SECRET: must have at least {LEAST_SECRET} characters; it has {len(given)}.")
        return given
    file = folder / BESIDE
    with disk_faults(file), locked(folder / ".lock"):  # of two first starts at once one makes it
        if not file.exists():
            write_bytes(file, secrets.token_urlsafe(48).encode(), is_private=True)
    kept = file.read_bytes().strip()
    if len(kept) < LEAST_SECRET:
        raise UserError(f"{file}: must hold at least {LEAST_SECRET} characters; it has {len(kept)}. Restore it.")
    return kept


def _refuse_other_secret(home: Home) -> None:
    """With another secret the audit log would look forged, and no input would be known again."""
    from burnish.store.states import put_state, read_state

    own = home.digest_of(b"the secret of this installation")
    with home.store.reading() as connection:
        known = read_state(connection, MARK)
    if known is None:
        with home.store.writing() as connection:
            home.store.take_turns(connection, MARK)
            known = read_state(connection, MARK)
            if known is None:
                put_state(connection, MARK, own)
    if known not in (None, own):
        raise UserError(
            "the secret is not the one that this database began with; give that one as BURNISH_SECRET, or put the file "
            f"{home.folder / BESIDE} of the first machine here."
        )
