"""Everything that an installation keeps, opened together: database, bundles, journal, and the secret beside them."""

from __future__ import annotations

import getpass
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from burnish.core.errors import UserError
from burnish.core.files import write_bytes
from burnish.core.settings import Settings, settings
from burnish.store.alerts import Alerts
from burnish.store.audit import Audit
from burnish.store.bundles import Bundles
from burnish.store.corrections import Corrections
from burnish.store.jobs import Jobs
from burnish.store.journal import Journal
from burnish.store.keys import Keys
from burnish.store.predictions import Predictions
from burnish.store.releases import Releases
from burnish.store.store import SQLITE, Store, open_store

BESIDE = "secret"
LEAST_SECRET = 32


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
        return Audit(self.store, self.secret)

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

    def close(self) -> None:
        self.store.close()


def open_home(own: Settings | None = None) -> Home:
    """The installation that the settings name; what is new is made.

    Raises:
        UserError: it cannot be opened.
        StoreUnavailable: the database does not answer.
    """
    own = own or settings()
    folder = own.home_folder
    secret = _secret(own, folder)
    store = open_store(own.database or f"{SQLITE}{folder / 'burnish.db'}")
    is_remote = "://" in own.bundles
    local = folder / "bundles" if is_remote or not own.bundles else Path(own.bundles).expanduser()
    return Home(folder, store, Bundles(local, own.bundles if is_remote else ""), secret)


def whoami() -> str:
    """Who works on the command line, for the audit log."""
    try:
        return f"user {getpass.getuser()}"
    except (KeyError, OSError):  # no name for this number, as in some containers
        return f"user {os.getuid()}"


def _secret(own: Settings, folder: Path) -> bytes:
    if own.secret is not None:
        given = own.secret.get_secret_value().encode()
        if len(given) < LEAST_SECRET:
            raise UserError(f"BURNISH_SECRET: must have at least {LEAST_SECRET} characters; it has {len(given)}.")
        return given
    file = folder / BESIDE
    if not file.exists():
        write_bytes(file, secrets.token_urlsafe(48).encode(), is_private=True)
    return file.read_bytes()
