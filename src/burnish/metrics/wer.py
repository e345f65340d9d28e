"""Word error rate: edits between what was said and what was written down, for each word that was said."""

from __future__ import annotations

from burnish.metrics._contract import Floats, Ints, Metric, Outcome
from burnish.metrics._resampling import ratio, score_once
from burnish.metrics._transcripts import TranscriptOutcome


class Wer(Metric):
    """Gives `wer`: insertions, deletions and substitutions ÷ words said, over all rows; 0 is best, above 1 is possible.

    Case and punctuation are left out. In Chinese and Japanese every character counts as a word.
    """

    judges = (TranscriptOutcome,)
    is_better_high = False
    is_share = False

    def score(self, outcome: Outcome) -> dict[str, float]:
        return score_once(self, outcome)

    def resampled(self, outcome: Outcome, takes: Ints) -> dict[str, Floats]:
        assert isinstance(outcome, TranscriptOutcome)
        n_edits, n_words = outcome.of_words
        return {"wer": ratio(takes @ n_edits, takes @ n_words)}
