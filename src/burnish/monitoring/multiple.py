"""Many tests at once: p-values corrected so that a stated share of quiet windows, and no more, is called changed."""

from __future__ import annotations

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Adjusted p-values (Benjamini and Hochberg 1995, J. R. Stat. Soc. B 57, §3), in the order given.

    Calling every adjusted p-value of at most q a change keeps the expected share of false ones among those called at
    q. Where nothing has changed at all, that is the chance of any call. It holds for tests that are independent or
    tend to rise together (Benjamini and Yekutieli 2001), as those of one window do.
    """
    n, adjusted, lowest = len(p_values), [1.0] * len(p_values), 1.0
    from_largest = sorted(range(n), key=lambda index: -p_values[index])
    for place, index in enumerate(from_largest):
        lowest = min(lowest, p_values[index] * n / (n - place))
        adjusted[index] = lowest
    return adjusted
