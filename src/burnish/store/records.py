"""What the store holds, as plain records. Times are seconds since 1970 (UTC); what has a shape of its own is JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any
Traffic = Literal["live", "canary", "shadow"]
Kind = Literal["label", "spans", "score", "accepted"]
FeedbackState = Literal["accepted", "quarantined", "rejected"]
AlertState = Literal["open", "acknowledged", "resolved"]
JobState = Literal["waiting", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True, slots=True)
class Release:
    """A bundle under a name and a version. Versions of a name count from 1 and never change."""

    name: str
    version: int
    digest: str
    """SHA-256 of the bundle's manifest, which holds that of every file: where its content lies."""
    task: str
    at: float
    by: str
    why: str = ""
    parent: int | None = None
    """The version that was in production when it was registered, or that it was retrained from."""
    source: str = ""
    """Digest of the bundle that training can go on from, where this one was shrunk from it; empty: this one."""
    data_digest: str = ""
    code_version: str = ""
    recipe: str = ""
    """The filled recipe, as YAML."""
    gates: Json = None
    """What the gate found: see `flows.release`."""
    is_passed: bool = True


@dataclass(frozen=True, slots=True)
class Alias:
    """`production`, `candidate` or `previous` of a name → a version."""

    name: str
    alias: str
    version: int
    at: float
    by: str


@dataclass(frozen=True, slots=True)
class Key:
    """An API key. Its secret is shown once and never kept; `digest` is the SHA-256 of it."""

    id: str
    digest: str
    owner: str
    roles: tuple[str, ...]
    at: float
    expires_at: float | None = None
    revoked_at: float | None = None
    per_minute: int | None = None
    """Most inputs a minute; None: no limit."""
    per_day: int | None = None
    """Most inputs a day (UTC); None: no quota."""
    models: tuple[str, ...] = ()
    """Names that it may ask; empty: all."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """One input that was answered, as far as the settings let it be kept."""

    id: str
    at: float
    name: str
    version: int
    key: str
    """Id of the key that asked."""
    input: Json
    """The row that was asked about, masked, hashed or left out (None) as `BURNISH_STORE_INPUTS` says."""
    input_digest: str
    """Keyed hash of the row: the same input again can be told, and erased, without being kept."""
    answer: Json
    label: str | None = None
    confidence: float | None = None
    is_abstained: bool = False
    is_out_of_scope: bool = False
    n_tokens: int = 0
    n_characters: int = 0
    share_cjk: float = 0.0
    """Share of the characters that are Chinese, Japanese or Korean."""
    share_unknown: float = 0.0
    """Share of the tokens that the model's vocabulary does not hold or that it spells in pieces."""
    ms: float = 0.0
    """Milliseconds from arrival to answer."""
    traffic: Traffic = "live"
    private: Mapping[str, int] = field(default_factory=dict)
    """Kind of personal data → how often it was found in the input."""
    vector: Sequence[float] | None = None
    """The probabilities, or what else tells answers apart, rounded; for choosing what to label and for drift."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What somebody said of an answer. Exactly one of label, spans, score and accepted is the correction."""

    id: str
    at: float
    prediction: str
    """Id of the prediction."""
    name: str
    version: int
    key: str
    """Id of the key that sent it: the user whose trust is at stake."""
    kind: Kind
    value: Json
    comment: str = ""
    state: FeedbackState = "accepted"
    reason: str = ""
    """Why it is quarantined or rejected."""
    used_in: int | None = None
    """Version of the release that learned from it."""


@dataclass(frozen=True, slots=True)
class Alert:
    """A watch that fired."""

    id: str
    at: float
    name: str
    watch: str
    severity: Literal["warning", "critical"]
    sentence: str
    numbers: Json
    state: AlertState = "open"
    by: str = ""
    """Who acknowledged or resolved it."""
    changed_at: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Work for `burnish worker`. `fence` rises with each lease: a stale worker's writes are refused."""

    id: str
    at: float
    kind: str
    arguments: Json
    due_at: float
    state: JobState = "waiting"
    worker: str = ""
    lease_until: float = 0.0
    fence: int = 0
    attempts: int = 0
    progress: Json = None
    result: Json = None
    log: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the audit log; `digest` covers the line and the digest before it."""

    number: int
    at: float
    who: str
    what: str
    about: str
    detail: Json
    digest: str
