"""How numbers are worded in the sentences of watches."""

from __future__ import annotations


def percent(share: float, digits: int = 1) -> str:
    """`4.1 %`."""
    return f"{100 * share:.{digits}f} %"


def chance(p_value: float) -> str:
    """`p = 0.012`, `p < 0.0001`."""
    if p_value < 1e-4:
        return "p < 0.0001"
    return f"p = {p_value:.4f}" if p_value < 0.01 else f"p = {p_value:.2f}"


def times(ratio: float) -> str:
    """`2.4 times`."""
    return f"{ratio:.1f} times" if ratio < 100 else f"{ratio:,.0f} times"


def counted(n: float, noun: str) -> str:
    """`1 answer`, `2,500 answers`, `9.8 answers`."""
    text = f"{n:,.0f}" if float(n).is_integer() or n >= 100 else f"{n:,.1f}"
    return f"{text} {noun}" if n == 1 else f"{text} {noun}s"
