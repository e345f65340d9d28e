"""Character error rate: edits between what was said and what was written down, for each character that was said."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import ratio, score_once
from burnish.metrics._transcripts import TranscriptOutcome


class Cer(Metric):
    """Gives `cer`: edits ÷ characters said, over all rows; 0 is best. What to look at for Chinese and Japanese.

    Case and punctuation are left out; a space between words is a character, none is counted between Chinese ones.
    """

    judges = (TranscriptOutcome,)
    is_better_high = False
    is_share = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, TranscriptOutcome)
        n_edits, n_letters = outcome.of_characters
        return {"cer": ratio(takes @ n_edits, takes @ n_letters)}
