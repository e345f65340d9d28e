"""How a retraining goes: its settings, apart from what it loads, so that a job can be checked before it is queued."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

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

    epochs: int = Field(default=2, ge=1)
    """Passes over old rows and corrections together: training goes on from production, which knows most already."""

    anchor: Annotated[Part, Shelf("anchors")] = Field(default="none", validate_default=True)
    """What keeps it from forgetting, where the old rows are not all there: none, l2sp, ewc, replay."""

    guard: Guard = Field(default_factory=Guard)
    """The checks against poisoned feedback."""

    policy: Policy = Field(default_factory=Policy)
    """What the result may cost against production."""

    promote_if_better: bool = False
    """Whether a result that passes and scores higher becomes production at once."""
