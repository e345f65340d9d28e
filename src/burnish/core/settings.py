"""Where and how the process runs. Read once from the environment; never part of a recipe."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from burnish.core.errors import UserError


class Settings(BaseSettings):
    """Environment variables with the prefix `BURNISH_`."""

    model_config = SettingsConfigDict(env_prefix="BURNISH_", frozen=True, use_attribute_docstrings=True)

    threads: int = Field(default=0, ge=0)
    """CPU threads for training and prediction; 0 takes every core this process may use."""

    offline: bool = False
    """Never ask a model hub, even when a base or data set is not cached."""

    cache: str = ""
    """Folder for what can be made again, such as a base converted to safetensors; empty takes ~/.cache/burnish."""

    embeddings_mb: int = Field(default=1024, ge=0)
    """MB of what frozen bases made of texts that are kept in that folder; the least recently used goes. 0: none."""

    home: str = ""
    """Folder of the installation: database, released bundles, journal, secret; empty takes ~/.local/share/burnish."""

    database: str = ""
    """`postgresql://user:password@host/database`, or `sqlite:////path/file.db`; empty takes burnish.db in there."""

    bundles: str = ""
    """Folder of released bundles, or a URL such as `s3://bucket/burnish`; empty takes `bundles` in that folder."""

    secret: SecretStr | None = None
    """Keys the audit log and the hashes of inputs; at least 32 characters, the same on every machine that shares a
    database. Without it one is made and kept in that folder."""

    store_inputs: Literal["off", "hashed", "masked", "full"] = "masked"
    """What is kept of an input: nothing, a keyed hash, its text with personal data masked, or all of it."""

    mask_names: str = ""
    """Bundle for the task `tokens` by which names of persons are found and masked too: a folder, or a release such as
    `names:3`; empty: names are not looked for."""

    name_labels: str = "PER, PERSON, NAME, 人名, 姓名"
    """Labels of that bundle that are names."""

    retention_days: int = Field(default=90, ge=1)
    """Days after which predictions that nobody corrected are deleted, and jobs that have ended."""

    oidc_issuer: str = ""
    """Issuer whose tokens (JWT) servers take beside keys, such as https://login.example.com/realms/shop; empty takes
    none."""

    oidc_audience: str = ""
    """What such a token must name as its audience (aud)."""

    oidc_claim: str = "roles"
    """The claim that says what a token's subject may do: a list, or words with spaces between. `a.b` lies in `a`."""

    oidc_roles: str = ""
    """Which of its values have which of our roles: `staff=predict, staff=feedback, ops=release`."""

    oidc_per_minute: int | None = Field(default=None, ge=1)
    """Most inputs a minute of one subject, whatever its tokens; left out: no limit."""

    oidc_per_day: int | None = Field(default=None, ge=1)
    """Most inputs a day (UTC) of one subject; left out: no quota."""

    @property
    def home_folder(self) -> Path:
        own = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "burnish"
        return Path(self.home).expanduser().absolute() if self.home else own

    @property
    def cache_folder(self) -> Path:
        own = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "burnish"
        return Path(self.cache).expanduser() if self.cache else own

    @property
    def n_threads(self) -> int:
        return self.threads or usable_cores()


def usable_cores() -> int:
    """Cores that this process may use: a container or taskset may give it fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@cache
def settings() -> Settings:
    """The settings of this process, read once.

    Raises:
        UserError: an environment variable holds what its setting cannot be.
    """
    try:
        return Settings()
    except ValidationError as error:
        found = [(f"BURNISH_{fault['loc'][0]}".upper(), fault["msg"], fault["input"]) for fault in error.errors()]
        raise UserError(
            *(f"the environment variable {name}: {text.lower()}; got '{got}'." for name, text, got in found)
        ) from None
