"""Names of a task made of several: `sentiment/accuracy` is `accuracy` of its member `sentiment`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

BETWEEN = "/"


def joined(member: str, word: str) -> str:
    """`sentiment/accuracy`."""
    return f"{member}{BETWEEN}{word}"


def owned(member: str, words: Iterable[str]) -> tuple[str, ...]:
    """Those of `words` that belong to a member, as it says them itself."""
    start = joined(member, "")
    return tuple(word.removeprefix(start) for word in words if word.startswith(start))


def owned_items(member: str, items: Mapping[str, Any]) -> dict[str, Any]:
    """Those items whose key belongs to a member, each under the member's own word."""
    return {word: items[joined(member, word)] for word in owned(member, items)}
