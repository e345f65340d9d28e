"""How long to train, from the number of rows: few rows need many passes in small batches to make enough steps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from burnish.data.measures import count_words

ROW_READINGS = 8_000
"""Rows that training reads in all, each pass counted, within the bounds on passes."""
LEAST_EPOCHS, MOST_EPOCHS = 4, 20
MOST_STEPS = 800
"""Batches grow until so many optimiser steps are left at most; with less than a few hundred, little is learned."""
TEXTS_PER_BATCH = (4, 8, 16, 32, 64)
TOKENS_PER_WORD, TOKENS_PER_CHINESE_CHARACTER = 1.2, 0.8
"""Of the bases' word pieces, measured on support messages, reviews and news titles: 1.2 to 1.3, and 0.7 to 0.9."""
TOKENS_AROUND = 2
"""The tokens that open and close a text."""
LEAST_TOKENS, MOST_TOKENS = 64, 4_096
"""Bounds of a batch: below, matrix products are too small to be quick; above, activations take gigabytes."""
SMALL_FILE_ROWS = 1_000
"""Below, a tenth of the rows would be too few to choose an epoch and calibrate by."""
SMALL_SHARE, SHARE = 0.2, 0.1


@dataclass(frozen=True)
class Pace:
    """What the number of rows decides. `n_tokens` is an average text's, estimated from its words."""

    n_rows: int
    n_tokens: int
    epochs: int
    texts_per_batch: int

    @property
    def tokens_per_batch(self) -> int:
        """A multiple of the least batch, because it is an estimate and should look like one."""
        wanted = LEAST_TOKENS * round(self.texts_per_batch * self.n_tokens / LEAST_TOKENS)
        return min(max(wanted, LEAST_TOKENS), MOST_TOKENS)

    @property
    def texts_at_once(self) -> int:
        """Average texts that fit into a batch."""
        return max(round(self.tokens_per_batch / self.n_tokens), 1)

    @property
    def dev_share(self) -> float:
        return SMALL_SHARE if self.n_rows < SMALL_FILE_ROWS else SHARE

    @property
    def n_steps(self) -> int:
        """Optimiser steps to two digits, dev taken off the rows."""
        n = self.n_rows * (1 - self.dev_share) * self.epochs / self.texts_at_once
        return int(float(f"{n:.1e}"))


def pace(n_rows: int, n_tokens: int) -> Pace:
    """Passes until `ROW_READINGS` rows were read; the smallest batches that need no more than `MOST_STEPS` steps."""
    epochs = min(max(round(ROW_READINGS / n_rows), LEAST_EPOCHS), MOST_EPOCHS)
    fitting = (texts for texts in TEXTS_PER_BATCH if n_rows * epochs <= MOST_STEPS * texts)
    return Pace(n_rows, n_tokens, epochs, next(fitting, TEXTS_PER_BATCH[-1]))


def mean_tokens(rows: Sequence[Mapping[str, Any]], columns: Iterable[str], is_chinese: bool) -> int:
    """Tokens of an average row, estimated from the words or Chinese characters in its columns of text."""
    names = list(columns)
    rate = TOKENS_PER_CHINESE_CHARACTER if is_chinese else TOKENS_PER_WORD
    n_words = sum(_words_in(row.get(name)) for row in rows for name in names)
    return round(rate * n_words / len(rows)) + TOKENS_AROUND


def _words_in(value: Any) -> int:
    return len(value) if isinstance(value, list) else 0 if value is None else count_words(str(value))
