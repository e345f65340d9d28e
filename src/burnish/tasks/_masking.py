"""Which tokens of a block are hidden, and what stands in their place. Shapes: T tokens of a block, P hidden ones."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]

MASKED, CHANGED = 0.8, 0.1
"""Shares of the hidden tokens that become the mask and any other token; the rest stay, to be told from all (Devlin et
al. 2019, §3.1)."""


class Masking(NamedTuple):
    """What is hidden. `mask_id` stands for it, `n_ids` is the size of the vocabulary that others are drawn from."""

    share: float
    mask_id: int
    n_ids: int

    def draw(self, ids: Ints, words: Ints, draw: np.random.Generator) -> dict[str, Ints]:
        """`hidden` [P], places in the block, ascending, and `shown` [P], what stands there.

        `words` [T] says which word each token belongs to; whole words are hidden, so that no piece of one gives the
        others away (BERT's whole-word masking; for Chinese, Cui et al. 2019, arXiv 1906.08101). Tokens of word -1 never
        are. At least one word is hidden where there is one.
        """
        n_words = int(words.max(initial=-1)) + 1
        is_hidden = np.zeros(n_words + 1, bool)  # the last stands for word -1
        n_hidden = min(max(round(self.share * n_words), 1), n_words)
        is_hidden[draw.choice(n_words, n_hidden, replace=False) if n_words else []] = True
        hidden = np.flatnonzero(is_hidden[words])
        kind, other = draw.random(len(hidden)), draw.integers(self.n_ids, size=len(hidden))
        shown = np.where(kind < MASKED, self.mask_id, np.where(kind < MASKED + CHANGED, other, ids[hidden]))
        return {"hidden": hidden.astype(np.int32), "shown": shown.astype(np.int32)}


def renumbered(words: Ints, is_special: NDArray[np.bool_], is_whole: bool) -> Ints:
    """[T] words of a block, from 0 without a gap, -1 for special tokens; each token its own unless `is_whole`."""
    numbers = words if is_whole else np.arange(len(words), dtype=np.int32)
    found = np.full(len(words), -1, np.int32)
    found[~is_special] = np.unique(numbers[~is_special], return_inverse=True)[1]
    return found
