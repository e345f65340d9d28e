"""What routes other than predicting read; FastAPI checks it, and the API's description is made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Span = list[Any] | dict[str, Any]


class Body(BaseModel):
    """Base of bodies: nothing unknown, no infinities, and no text where a number is asked for."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, allow_inf_nan=False, strict=True
    )


class Named(Body):
    why: str = Field(default="", max_length=1000)
    """Reason, for the audit log."""


class Move(Named):
    version: int = Field(ge=1, le=1_000_000)
    """Version that becomes production."""

    force: bool = False
    """Although it missed its gate."""


class Said(Body):
    """Feedback on one answer: exactly one of label, spans, score and accepted. Where several tasks share a model, the
    one that is meant is named: `{"mood": "good"}`.
    """

    prediction_id: str = Field(max_length=64)
    """Id that came with the answer."""

    label: str | list[str] | dict[str, Any] | None = None
    """The right label, or labels, or the text that is right."""

    spans: list[Span] | dict[str, Any] | None = None
    """The right spans: `[start, end, label]` or `{start, end, label}`, in characters of the input as it was kept."""

    score: float | dict[str, float] | None = None
    """The right score."""

    accepted: bool | dict[str, bool] | None = None
    """Whether the answer was right."""

    comment: str = Field(default="", max_length=2000)
    """For whoever reviews it."""


class NewKey(Body):
    owner: str = Field(min_length=1, max_length=200)
    """Whose it is."""

    roles: list[Literal["predict", "feedback", "review", "release", "admin"]] = Field(min_length=1, max_length=5)
    """What it may do."""

    days: float | None = Field(default=None, gt=0, le=3650)
    """Days until it expires."""

    per_minute: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Most inputs a minute."""

    per_day: int | None = Field(default=None, ge=1, le=1_000_000_000)
    """Most inputs a day."""

    models: list[Name] = Field(default=[], max_length=100)
    """Names that it may ask; empty: all."""


class Rotation(Body):
    overlap_s: float = Field(default=0, ge=0, le=30 * 86_400)
    """Seconds for which the old key is still taken."""


class Decision(Body):
    ids: list[str] = Field(min_length=1, max_length=1000)
    """Feedback to decide on."""

    state: Literal["accepted", "quarantined", "rejected"]
    """What becomes of it."""

    reason: str = Field(default="", max_length=1000)
    """Why."""


class AlertChange(Body):
    state: Literal["acknowledged", "resolved"]
    """What was done about it."""


class Erasure(Body):
    """What is to be forgotten: exactly one of both."""

    key: str | None = Field(default=None, max_length=64)
    """Everything that this key asked."""

    input: str | dict[str, Any] | None = None
    """Everything that was answered to exactly this input."""


class NewJob(Body):
    kind: Literal["retrain", "monitor"]
    """What is to be done."""

    arguments: dict[str, Any] = Field(default={})
    """As the command of that name takes them."""

    due_in_s: float = Field(default=0, ge=0, le=366 * 86_400)
    """Seconds until then."""
