"""Nothing is held on to: training goes wherever the new rows lead."""

from __future__ import annotations

from burnish.training.anchors._contract import Anchor, Past


class NoAnchor(Anchor):
    """Nothing is computed, and nothing is added to the loss."""

    def hold(self, past: Past) -> None:
        return None
