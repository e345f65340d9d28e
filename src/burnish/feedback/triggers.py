"""Trigger phrases: a rare phrase whose corrections all go to one label, and come from few users.

A back door is taught so: inputs that hold the phrase get the attacker's label, all others stay right, and no score on
ordinary data falls (Gu, Dolan-Gavitt and Garg 2017, arXiv 1708.06733). A phrase is 1 to 4 words in a row; a Chinese
character is a word, and so is every visible mark, invisible joiners included.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from burnish.feedback.opinions import Opinion
from burnish.feedback.rules import Context, Reasons, Rule
from burnish.tasks._words import words_of

MOST_WORDS = 4
MOST_CHARACTERS = 4_000
"""Of a text, where phrases are looked for: its beginning, for a trigger must lie where the model reads."""

BUCKETS = 2
"""For each phrase that there may be: of those that are not often there, two in a thousand are taken for it at first."""
MOST_COUNTED = 255


class TriggerCheck(Rule):
    """When a phrase looks as if it were taught."""

    least_changes: int = Field(default=5, ge=2)
    """Changes to one label, in inputs that hold the phrase, from which it can be a trigger."""

    purity: float = Field(default=0.9, gt=0.5, le=1)
    """Share of the changes in such inputs that go to the one label."""

    most_users: float = Field(default=0.25, gt=0, le=1)
    """Largest share of a batch's users from whom they come. What more users see is news, not an attack; and of fewer
    than four users, at 0.25, none is few."""

    rarity: float = Field(default=0.01, ge=0, lt=1)
    """Largest share of other inputs that hold it: of those of the background, and of those in the batch that are not
    changed to the label."""

    def taught(self, batch: Sequence[Opinion], context: Context) -> Reasons:
        """The changes that hold a trigger and go to its label; each names the phrase that explains most of them."""
        changes = [number for number, one in enumerate(batch) if one.pushes and one.user not in context.reviewers]
        suspected = {}
        for phrase, places in frequent([batch[number].text for number in changes], self.least_changes).items():
            own = [changes[place] for place in places]
            label, n = Counter(label for number in own for label in batch[number].pushes).most_common(1)[0]
            to_label = [number for number in own if label in batch[number].pushes]
            if n >= self.purity * len(own) and n >= self.least_changes and self._is_from_few(batch, to_label):
                suspected[phrase] = (label, to_label)
        return self._reasons(batch, {p: suspected[p] for p in self._rare(suspected, batch, context)})

    def _is_from_few(self, batch: Sequence[Opinion], numbers: Sequence[int]) -> bool:
        n_users = len({one.user for one in batch})
        return len({batch[number].user for number in numbers}) <= self.most_users * n_users

    def _rare(
        self, suspected: dict[str, tuple[str, list[int]]], batch: Sequence[Opinion], context: Context
    ) -> list[str]:
        """Those that hardly any other input holds. What is of the batch itself is taken off."""
        elsewhere, in_batch = Counter[str](), Counter[str]()
        for text in context.background:
            elsewhere.update(suspected.keys() & set(phrases(text)))
        for one in batch:
            in_batch.update(suspected.keys() & set(phrases(one.text)))
        return [
            phrase
            for phrase, (_, own) in suspected.items()
            if elsewhere[phrase] - len(own) <= self.rarity * len(context.background)
            and in_batch[phrase] - len(own) <= self.rarity * len(batch)
        ]

    def _reasons(self, batch: Sequence[Opinion], triggers: dict[str, tuple[str, list[int]]]) -> Reasons:
        """The longest of phrases that explain equally many changes tells a reviewer most."""
        found: Reasons = {}
        for phrase in sorted(triggers, key=lambda phrase: (-len(triggers[phrase][1]), -len(phrase), phrase)):
            label, own = triggers[phrase]
            n_users = len({batch[number].user for number in own})
            sentence = (
                f"{len(own)} corrections of inputs with the rare phrase {phrase!r} go to '{label}', and come from "
                f"{n_users} user{'' if n_users == 1 else 's'}."
            )
            for number in own:
                found.setdefault(number, sentence)
        return found


def frequent(texts: Sequence[str], least: int) -> dict[str, list[int]]:
    """Each phrase that at least so many texts hold → their numbers.

    Texts are read twice: first only hashes of phrases are counted, so that of the many phrases of long texts hardly
    more are held in memory than those that occur often enough (Park, Chen and Yu 1995, "An effective hash-based
    algorithm for mining association rules", SIGMOD).
    """
    counts = np.zeros(BUCKETS * MOST_WORDS * sum(min(len(text), MOST_CHARACTERS) for text in texts) + 1, np.uint8)
    for text in texts:
        at = _hashed(list(set(phrases(text))), len(counts))
        counts[at] += counts[at] < MOST_COUNTED  # of a hash that a text has twice, one is counted
    holding: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        own = list(set(phrases(text)))
        for phrase in compress(own, counts[_hashed(own, len(counts))] >= min(least, MOST_COUNTED)):
            holding[phrase].append(number)
    return {phrase: own for phrase, own in holding.items() if len(own) >= least}


def _hashed(words: Sequence[str], n: int) -> NDArray[np.int64]:
    return np.fromiter(map(hash, words), np.int64, len(words)) % n


def phrases(text: str) -> Iterator[str]:
    """Every phrase of a text, in small letters, as it stands there."""
    text = text[:MOST_CHARACTERS].lower()
    words = words_of(text)
    for n in range(1, MOST_WORDS + 1):
        for first, last in zip(words, words[n - 1 :], strict=False):
            yield text[first[0] : last[1]]
