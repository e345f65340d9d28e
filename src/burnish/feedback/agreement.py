"""Where users contradict each other, what most of them say, and how far they agree beyond chance.

Sources: Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability"; Cohen 1960, "A coefficient of agreement for
nominal scales"; Passonneau 2006, "Measuring Agreement on Set-valued Items (MASI)", for sets such as labels and spans.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from burnish.feedback.golds import Gold
from burnish.feedback.opinions import Opinion, latest

MOST_VALUES = 2_000
"""Most different values whose distances are all compared; of more, evenly chosen ones stand for the rest."""

UNKNOWN_TRUST = 0.5


@dataclass(frozen=True, slots=True)
class Conflict:
    """One input of which users say things that cannot all be right; `opinions` hold the newest of each."""

    item: str
    opinions: tuple[Opinion, ...]

    @property
    def golds(self) -> list[Gold | None]:
        """The different things that are said, most often first; None: only that the answer is wrong."""
        return [gold for gold, _ in Counter(one.gold for one in self.opinions).most_common()]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What an input's users come to. `gold` None: it stays open. `share` of the trust in those who spoke backs it."""

    item: str
    gold: Gold | None
    share: float
    opinions: tuple[Opinion, ...]

    @property
    def is_open(self) -> bool:
        return self.gold is None

    @property
    def backed_by(self) -> tuple[Opinion, ...]:
        """The opinions that say what it comes to."""
        return tuple(one for one in self.opinions if not self.is_open and one.gold == self.gold)


def conflicts(said: Sequence[Opinion]) -> list[Conflict]:
    """Every input on which users contradict each other, in the order of the first word on it."""
    return [
        Conflict(item, tuple(own))
        for item, own in _by_item(said).items()
        if any(_contradict(one, other) for one, other in combinations(own, 2))
    ]


def resolve(
    said: Sequence[Opinion], trust: Mapping[str, float] | None = None, least_share: float = 0.5
) -> list[Resolution]:
    """What each input's users come to: the gold that more than `least_share` of the trust backs.

    `trust` is a weight for each user (see `feedback.trust`); without it all weigh the same. Only those who back or
    contradict a gold count for its share: "the answer x is wrong" says nothing against y. Ties stay open.
    """
    if not 0.5 <= least_share < 1:
        raise ValueError(
            f"least_share must be from 0.5 to below 1, so that one gold at most can win; got {least_share}."
        )
    return [_resolution(item, own, trust, least_share) for item, own in _by_item(said).items()]


def _resolution(item: str, own: Sequence[Opinion], trust: Mapping[str, float] | None, least_share: float) -> Resolution:
    def weight(of: Sequence[Opinion]) -> float:
        return math.fsum(1.0 if trust is None else trust.get(one.user, UNKNOWN_TRUST) for one in of)

    best, best_share = None, 0.0
    for gold in dict.fromkeys(one.gold for one in own if one.gold is not None):
        backing = [one for one in own if one.gold == gold]
        against = [one for one in own if _contradict(backing[0], one)]
        total = weight(backing) + weight(against)
        share = weight(backing) / total if total else 0.0
        if share > best_share:
            best, best_share = gold, share
    return Resolution(item, best if best_share > least_share else None, best_share, tuple(own))


def _by_item(said: Sequence[Opinion]) -> dict[str, list[Opinion]]:
    grouped: dict[str, list[Opinion]] = defaultdict(list)
    for number in latest(said):
        grouped[said[number].item].append(said[number])
    return grouped


def _contradict(one: Opinion, other: Opinion) -> bool:
    """Whether both cannot be right: two golds, or a gold and the word that this very answer is wrong."""
    if one.gold is not None and other.gold is not None:
        return one.gold != other.gold
    right, wrong = (one, other) if other.gold is None else (other, one)
    return right.gold is not None and right.gold == wrong.answer


# How far users agree.


def ratings(said: Sequence[Opinion]) -> dict[str, dict[str, Gold]]:
    """Input → user → gold, of those who say what is right."""
    found: dict[str, dict[str, Gold]] = defaultdict(dict)
    for number in latest(said):
        one = said[number]
        if one.gold is not None:
            found[one.item][one.user] = one.gold
    return found


def alpha(rated: Mapping[str, Mapping[str, Gold]]) -> float:
    """Krippendorff's alpha: 1 − observed / expected disagreement, over inputs that at least two users rated.

    Distances: of names, whether they differ; of scores, the squared difference; of sets, MASI. 1 is agreement, 0 what
    chance gives, NaN where nobody can be compared or nothing ever varies.
    """
    units = [list(of_users.values()) for of_users in rated.values() if len(of_users) >= 2]
    n = sum(map(len, units))
    if not n:
        return math.nan
    observed = math.fsum(_disagreement(unit) / (len(unit) - 1) for unit in units) / n
    expected = _disagreement(_thinned([gold for unit in units for gold in unit]))
    n_thinned = min(n, MOST_VALUES)
    expected /= n_thinned * (n_thinned - 1)
    return 1 - observed / expected if expected else math.nan


def kappa(rated: Mapping[str, Mapping[str, Gold]], first: str, second: str) -> float:
    """Cohen's kappa of two users over the inputs that both rated; NaN where there is none, or nothing varies."""
    pairs = [(own[first], own[second]) for own in rated.values() if first in own and second in own]
    if not pairs:
        return math.nan
    n = len(pairs)
    observed = sum(one == other for one, other in pairs) / n
    left, right = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    expected = sum(left[gold] * right[gold] for gold in left) / n**2
    return (observed - expected) / (1 - expected) if expected < 1 else math.nan


def distance(one: Gold, other: Gold) -> float:
    """How far two golds are apart: see `alpha`."""
    if isinstance(one, float) and isinstance(other, float):
        return (one - other) ** 2
    if isinstance(one, frozenset) and isinstance(other, frozenset):
        return _masi(one, other)
    return float(one != other)


def _masi(one: frozenset[object], other: frozenset[object]) -> float:
    """1 − Jaccard × monotonicity, which is 1 for equal sets, 2/3 where one holds the other, 1/3 where they overlap."""
    if one == other:
        return 0.0
    shared = len(one & other)
    monotonicity = 2 / 3 if one <= other or other <= one else 1 / 3
    return 1.0 - monotonicity * shared / len(one | other)


def _disagreement(values: Sequence[Gold]) -> float:
    """The sum of distances over ordered pairs of values; what is equal is compared once."""
    counts = Counter(values)
    return 2 * math.fsum(n * m * distance(one, other) for (one, n), (other, m) in combinations(counts.items(), 2))


def _thinned(values: Sequence[Gold]) -> list[Gold]:
    n = len(values)
    return list(values) if n <= MOST_VALUES else [values[i * n // MOST_VALUES] for i in range(MOST_VALUES)]
