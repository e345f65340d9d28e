"""Another mix of languages: the share of inputs mainly in Chinese, Japanese or Korean (Fisher's exact test)."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from burnish.monitoring.reference import Reference
from burnish.monitoring.twosample import other_share
from burnish.monitoring.watches._contract import SURE, Finding, Watch
from burnish.monitoring.watches._ranks import can_compare
from burnish.monitoring.watches._words import chance, percent
from burnish.monitoring.window import Window

MAINLY = 0.3  # share of characters: Chinese says with one character what English says with four


class Language(Watch):
    """Value: how far the share of inputs mainly in Chinese, Japanese or Korean lies from that of the test rows."""

    points: float = Field(default=0.05, gt=0, lt=1)
    """Raised from this difference on, either way: 0.05 is five of a hundred inputs."""

    least: int = Field(default=50, ge=10)
    """Inputs with text that are needed."""

    def look(self, window: Window, reference: Reference | None, history: Sequence[Window]) -> Finding | None:
        now = window.answers.share_cjk
        if reference is None or not can_compare(now, reference.answers.share_cjk, self.least):
            return None
        before = reference.answers.share_cjk
        n_cjk, n_usual = now.above(MAINLY), before.above(MAINLY)
        share, usual = n_cjk / len(now), n_usual / len(before)
        p_value = other_share(n_cjk, len(now), n_usual, len(before))
        return Finding(
            abs(share - usual),
            self.points,
            p_value,
            abs(share - usual) >= self.points and p_value <= SURE,
            f"{percent(share)} of {len(now):,} inputs are mainly Chinese, Japanese or Korean; of the test rows "
            f"{percent(usual)} ({chance(p_value)}).",
            {"inputs": len(now), "share": round(share, 5), "reference_share": round(usual, 5)},
        )
