"""What is served, and where."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from burnish.core.errors import UserError
from burnish.serving.limits import Limits
from burnish.store.releases import Reference, reference


class Serving(BaseModel):
    """What a server is asked to do."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    models: list[str]
    """References: `intent` (its production, followed), `intent@candidate`, `intent:7`; each name once."""

    host: str = "127.0.0.1"
    """Address to listen at. Other machines are answered only when another one is given."""

    port: int = Field(default=8080, ge=0, le=65_535)
    """Port; 0 takes a free one."""

    workers: int = Field(default=1, ge=1, le=64)
    """Processes. Several start anew when one dies; each holds every model."""

    most_loaded: int = Field(default=0, ge=0)
    """Models in memory at once: what was asked longest ago makes room. One more while a version takes over. 0: all."""

    limits: Limits = Field(default_factory=Limits)
    """What is refused at the door, and how long anything may take."""

    def references(self) -> list[Reference]:
        """What is to be served.

        Raises:
            UserError: nothing is, one is no reference, or two have one name.
        """
        found: dict[str, Reference] = {}
        for text in self.models:
            one = reference(text)
            if one.name in found:
                raise UserError(
                    f"'{found[one.name]}' and '{one}' have one name, and a name has one address; serve one of them. "
                    f"A second version beside production is a canary or a shadow: burnish traffic {one.name}."
                )
            found[one.name] = one
        if not found:
            raise UserError("there is nothing to serve; name a release, e.g. intent.")
        return list(found.values())
