"""How a retraining goes: its settings, apart from what it loads, so that a job can be checked before it is queued."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from burnish.core.parts import Part
from burnish.core.shelves import Shelf
from burnish.evaluation.promotion import Policy
from burnish.feedback.guard import Guard


class Retraining(BaseModel):
    """How a retraining goes."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    least: int = Field(default=20, ge=1)
    """Fewest inputs with new corrections that are worth a retraining."""

    held_out: float = Field(default=0.2, ge=0, lt=1)
    """Share of the newly corrected inputs that judges what was learned from the others; the next time it is learned."""

    epochs: int = Field(default=3, ge=1)
    """Passes over old rows and corrections together: training goes on from production, which knows most already."""

    start_share: float = Field(default=0.5, ge=0, lt=1)
    """Share of production's weights in the result. Corrections are of some labels, and all others lose by them: half of
    the way that training goes keeps more of these, and of what was learned as well."""

    anchor: Annotated[Part, Shelf("anchors")] = Field(default="none", validate_default=True)
    """What training holds on to besides, so that less is forgotten: none, l2sp, ewc, replay."""

    guard: Guard = Field(default_factory=Guard)
    """The checks against poisoned feedback."""

    policy: Policy = Field(default_factory=Policy)
    """What the result may cost against production."""

    promote_if_better: bool = False
    """Whether a result that passes and scores higher becomes production at once."""

    canary: float = Field(default=0.0, ge=0, lt=100)
    """Percent of the requests that a result that passes answers first, to be promoted or taken back by what comes of
    it; 0: none."""

    canary_inputs: int = Field(default=200, ge=1)
    """Inputs that it and production must each have answered by then."""

    @model_validator(mode="after")
    def _one_way_to_production(self) -> Self:
        if self.canary and self.promote_if_better:
            raise ValueError("a canary is promoted by what comes of it; leave out promote_if_better, or the canary")
        return self
