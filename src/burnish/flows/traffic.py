"""How a name's requests are shared out among its versions, as `burnish traffic` sets it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from burnish.core.errors import GateMissed, UserError
from burnish.store.home import Home
from burnish.store.releases import PRODUCTION, reference
from burnish.store.states import put_state, read_state

if TYPE_CHECKING:
    from sqlalchemy import Connection


class Traffic(BaseModel):
    """Beside production: a canary that answers a share of the requests, a shadow that is asked and not heard."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    canary: int | None = None
    """Version that answers `percent` of the requests."""

    percent: float = Field(default=0.0, ge=0, le=100)
    """Share of the requests that the canary answers."""

    shadow: int | None = None
    """Version that is asked what production is asked; its answers are kept and compared, never given."""

    shadow_percent: float = Field(default=100.0, gt=0, le=100)
    """Share of the requests that the shadow is asked too."""

    @model_validator(mode="after")
    def _canary_answers(self) -> Self:
        if (self.canary is None) != (self.percent == 0):
            raise ValueError("a canary has a version and a percent above 0; got one without the other")
        return self

    def save(self, connection: Connection, name: str) -> None:
        put_state(connection, f"traffic {name}", self.model_dump())


def traffic_of(connection: Connection, name: str) -> Traffic:
    """As it is set now; without anything set, production answers all."""
    kept: Any = read_state(connection, f"traffic {name}")
    return Traffic() if kept is None else Traffic.model_validate(kept)


def traffic_now(home: Home, name: str) -> Traffic:
    """How a name's requests are shared out now.

    Raises:
        UserError: there is no such name.
    """
    bare = reference(name).name
    home.releases.find(f"{bare}@{PRODUCTION}")
    with home.store.reading() as connection:
        return traffic_of(connection, bare)


def set_traffic(home: Home, name: str, traffic: Traffic, by: str) -> None:
    """Keep how a name's requests are shared out.

    Raises:
        UserError: there is no such version, or it is in production; or nothing of the name is.
        GateMissed: the canary missed its gate; it may be a shadow.
    """
    production, before = home.releases.find(name).version, traffic_now(home, name)
    for version, old in ((traffic.canary, before.canary), (traffic.shadow, before.shadow)):
        if version == production != old:
            raise UserError(f"{name}:{version} is in production: it answers already; name another version.")
        found = None if version is None else home.releases.find(f"{name}:{version}")
        if found is not None and version == traffic.canary and not found.is_passed:
            raise GateMissed(
                f"{name}:{version} missed its gate and answers nobody; a shadow may be asked what production is asked."
            )
    with home.store.writing() as connection:
        traffic.save(connection, name)
        home.audit.add(connection, by, "traffic", name, traffic.model_dump())
