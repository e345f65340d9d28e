"""Labels told in words: what a label is called, and which words tell nothing."""

from __future__ import annotations

from collections.abc import Mapping


def spelled(label: str, words: str | None) -> str:
    """The words for a label; its own name, with `_` and `-` as spaces, where there are none."""
    return words.strip() if words is not None else " ".join(label.replace("_", " ").replace("-", " ").split()) or label


def refuse_unclear_words(told: Mapping[str, str | None]) -> None:
    """Raise `ValueError` where a label or its words are empty, or two labels have the same words."""
    first: dict[str, str] = {}
    for label, words in told.items():
        if not label:
            raise ValueError("has a label without a name; name it, or take it out")
        if words is not None and not words.strip():
            raise ValueError(f"has no words for '{label}'; write some, or null to take its name")
        said = spelled(label, words).casefold()
        if said in first:
            raise ValueError(
                f"has the same words for '{first[said]}' and '{label}', '{spelled(label, words)}'; "
                "say what sets them apart"
            )
        first[said] = label
