"""Several ways at once, each with its share; some are always drawn by chance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
from pydantic import Field, field_validator

from burnish.core.errors import hint, listed
from burnish.core.shelves import Shelf
from burnish.feedback.choose._contract import Chooser
from burnish.store.records import Prediction

SHELF, OWN_NAME, RANDOM = "choose", "mixed", "random"


class Mixed(Chooser):
    """What is chosen for being hard teaches most and flatters no estimate; what is drawn by chance tells how good the
    model is. The random ones are drawn first and come first, untouched by what the others want.
    """

    shares: dict[str, float] = Field(default={"random": 0.3, "least_confident": 0.4, "diverse": 0.3})
    """Way → its share of what is chosen. Together they must make 1. The share of a way that these answers do not suit
    goes to the others."""

    @field_validator("shares")
    @classmethod
    def _shares_make_one(cls, value: dict[str, float]) -> dict[str, float]:
        known = [name for name in Shelf(SHELF).names() if name != OWN_NAME]
        for name, share in value.items():
            if name not in known:
                raise ValueError(f"has no way '{name}'.{hint(name, known)} The ways are: {listed(known)}")
            if not share > 0:
                raise ValueError(f"must be above 0 for each way; got {share:g} for '{name}'; leave it out")
        if abs(sum(value.values()) - 1) > 1e-6:
            raise ValueError(f"must make 1 together; got {sum(value.values()):g}")
        return value

    def choose(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> list[int]:
        return [index for own in self.parts(predictions, n, draw).values() for index in own]

    def parts(self, predictions: Sequence[Prediction], n: int, draw: np.random.Generator) -> dict[str, list[int]]:
        """What each way chose; only the feedback on what `random` chose may be counted to estimate quality."""
        ways = {name: cast("Chooser", Shelf(SHELF).build(name)) for name in sorted(self.shares, key=_random_first)}
        fit = {name: way for name, way in ways.items() if way.refusal(predictions) is None}
        found: dict[str, list[int]] = {name: [] for name in fit}
        wanted, left = _dealt({name: self.shares[name] for name in fit}, max(n, 0)), list(range(len(predictions)))
        others = {name: n for name in fit if name != RANDOM}  # what one could not fill the others do, never chance
        for name, most in [*wanted.items(), *others.items()]:
            missing = n - sum(map(len, found.values()))
            chosen = _from(fit[name], predictions, left, min(most, missing), draw)
            found[name] += chosen
            left = _without(predictions, left, chosen)
        return found


def _random_first(name: str) -> tuple[bool, str]:
    return name != RANDOM, name


def _from(
    way: Chooser, predictions: Sequence[Prediction], left: Sequence[int], n: int, draw: np.random.Generator
) -> list[int]:
    pool = [predictions[index] for index in left]
    if n <= 0 or way.refusal(pool) is not None:
        return []
    return [left[place] for place in way.choose(pool, n, draw)]


def _without(predictions: Sequence[Prediction], left: Sequence[int], chosen: Sequence[int]) -> list[int]:
    """The indices of inputs that were not chosen."""
    gone = {predictions[index].input_digest or predictions[index].id for index in chosen}
    return [index for index in left if (predictions[index].input_digest or predictions[index].id) not in gone]


def _dealt(shares: dict[str, float], n: int) -> dict[str, int]:
    """`n` dealt out in proportion, by the largest remainder."""
    total = sum(shares.values())
    exact = {name: n * share / total for name, share in shares.items()}
    whole = {name: int(count) for name, count in exact.items()}
    for name in sorted(exact, key=lambda name: whole[name] - exact[name])[: n - sum(whole.values())]:
        whole[name] += 1
    return whole
