"""What routes other than predicting read; FastAPI checks it, and the API's description is made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from burnish.store.releases import NAME


def exactly_one_of(*names: str) -> dict[str, Any]:
    """JSON schema's way to say that one of some fields is given, and is not null."""
    given = {"not": {"type": "null"}}
    return {"oneOf": [{"required": [name], "properties": {name: given}} for name in names]}


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Name = Annotated[str, Field(pattern=rf"^{NAME.pattern}$")]
Count = Annotated[int, Field(ge=1, le=1_000_000_000), BeforeValidator(_whole)]
"""A whole number from 1, also where it is written as 3.0: to JSON these are one."""
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
    version: Count
    """Version that becomes production."""

    force: bool = False
    """Although it missed its gate."""


SAYS: tuple[Literal["label", "spans", "score", "accepted"], ...] = ("label", "spans", "score", "accepted")
FORGETS = ("key", "input")


class Said(Body):
    """Feedback on one answer: exactly one of label, spans, score and accepted. Where several tasks share a model, the
    one that is meant is named: `{"mood": "good"}`.
    """

    model_config = ConfigDict(json_schema_extra=exactly_one_of(*SAYS))

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

    per_minute: Count | None = None
    """Most inputs a minute."""

    per_day: Count | None = None
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

    model_config = ConfigDict(json_schema_extra=exactly_one_of(*FORGETS))

    key: str | None = Field(default=None, max_length=64)
    """Everything that this key asked."""

    input: str | dict[str, Any] | None = None
    """Everything that was answered to exactly this input."""


EVERY = {"every_s": {"type": ["number", "null"], "exclusiveMinimum": 0}}
NAMED = {"type": "string", "pattern": f"^{NAME.pattern}$"}
OF_A_MODEL = {"type": "object", "required": ["name"], "properties": {"name": NAMED, **EVERY}}
OF_ALL = {"type": "object", "properties": EVERY, "additionalProperties": False}
OVERRIDE = r"train(\.[a-z0-9_]+)+=(-?[0-9]{1,20}(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?|true|false|null)"
"""What a key may override in a recipe: a text could name a file of the server, whose lines a fault would quote."""
OVERRIDES = {"type": "array", "items": {"type": "string", "pattern": f"^{OVERRIDE}$"}}
OF_RETRAIN = {**OF_A_MODEL, "properties": {"name": NAMED, **EVERY, "overrides": OVERRIDES}}
JOBS: list[Any] = [
    {"properties": {"kind": {"const": "retrain"}, "arguments": OF_RETRAIN}, "required": ["arguments"]},
    {"properties": {"kind": {"const": "monitor"}, "arguments": OF_A_MODEL}, "required": ["arguments"]},
    {"properties": {"kind": {"const": "purge"}, "arguments": OF_ALL}},
]


class NewJob(Body):
    model_config = ConfigDict(json_schema_extra={"anyOf": JOBS})

    kind: Literal["retrain", "monitor", "purge"]
    """What is to be done."""

    arguments: dict[str, Any] = Field(default={})
    """As `burnish jobs --add` takes them; of overrides of the recipe only numbers, true, false and null of `train`."""

    due_in_s: float = Field(default=0, ge=0, le=366 * 86_400)
    """Seconds until then."""
