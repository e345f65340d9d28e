"""Rules: which watches look, how long a change must last, how loud it is; a rulebook is all of them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from burnish.core.errors import listed
from burnish.core.shelves import Shelf
from burnish.monitoring.watches._contract import Watch

HOUR_S, DAY_S = 3600.0, 86400.0
_SETTINGS = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Rule(BaseModel):
    """When a watch that is raised becomes an alert."""

    model_config = _SETTINGS

    watch: Annotated[Watch, Shelf("watches")]
    """What looks: its name, or a mapping of its name and settings."""

    name: str = ""
    """What the rule is called; empty: as its watch. Two rules with one watch need names."""

    streak: int = Field(default=1, ge=1)
    """Windows in a row in which the watch must be raised; as many quiet ones in a row resolve the alert."""

    silence_s: float = Field(default=6 * HOUR_S, ge=0)
    """Seconds after an alert in which the rule gives no other."""

    severity: Literal["warning", "critical"] = "warning"
    """How loud the alert is."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        """A rule is named as its watch unless it says otherwise; a rule that is one word is a watch."""
        values = {"watch": given} if isinstance(given, str) else given
        if not isinstance(values, Mapping) or values.get("name"):
            return values
        watch = values.get("watch")
        name = (
            watch.part_name if isinstance(watch, Watch) else watch.get("name") if isinstance(watch, Mapping) else watch
        )
        return {**values, "name": name} if isinstance(name, str) else dict(values)


def default_rules() -> tuple[Rule, ...]:
    """What is watched where nobody says otherwise. Slow changes must last two windows; sudden ones need not."""
    lasting = ("volume", "latency", "confidence", "abstentions", "label_mix", "input_length", "language")
    rules = [{"watch": name, "streak": 2} for name in (*lasting, "unknown_tokens", "drift", "privacy_hits")]
    urgent = [{"watch": name, "severity": "critical"} for name in ("errors", "quality")]
    burst = {"watch": "spike", "severity": "critical", "silence_s": 0}  # its own rate keeps it quiet
    return tuple(Rule.model_validate(one) for one in (*rules, *urgent, burst))


class Rulebook(BaseModel):
    """Rules, and the windows that they look at."""

    model_config = _SETTINGS

    rules: tuple[Rule, ...] = Field(default_factory=default_rules)
    """What is watched; left out: every watch."""

    false_alarm_rate: float = Field(default=0.05, gt=0, le=0.05)
    """Share of the windows without any change in which a watch may be raised nevertheless, all watches together. Those
    that state a rate of their own, such as spike, come on top."""

    window_s: float = Field(default=HOUR_S, ge=60, le=30 * DAY_S)
    """Seconds of a window."""

    n_history: int = Field(default=168, ge=0, le=10_000)
    """Past windows that watches may look at: 168 hours are a week."""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        names = [rule.name for rule in self.rules]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"has two rules called {listed(twice)}; give each a `name` of its own")
        return self

    @classmethod
    def load(cls, path: Path) -> Self:
        """A rulebook from a YAML file.

        Raises:
            UserError: it cannot be read, or some rules are wrong; every fault with its line.
        """
        from burnish.monitoring.rulefile import read_rules

        return read_rules(cls, path)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Self:
        """A rulebook from a mapping as the file would hold it.

        Raises:
            UserError: some rules are wrong; every fault at once.
        """
        from burnish.monitoring.rulefile import checked

        return checked(cls, given)

    @classmethod
    def default(cls) -> Self:
        """The rulebook of whoever says nothing."""
        return cls()

    def as_mapping(self) -> dict[str, Any]:
        """The rulebook as its file would hold it, with every default; `of` reads it back."""
        return self.model_dump(mode="json")

    def periods(self, now: float) -> list[tuple[float, float]]:
        """(start, end) of the newest whole window before `now` and of the past ones, oldest first.

        They begin at whole multiples of `window_s` since 1970 and do not overlap, whenever one asks.
        """
        last = math.floor(now / self.window_s) * self.window_s
        starts = [last - n * self.window_s for n in range(self.n_history + 1, 0, -1)]
        return [(start, start + self.window_s) for start in starts]
