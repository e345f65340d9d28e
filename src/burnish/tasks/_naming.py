"""Labels told in words: what a label is called, and which words tell nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator

from burnish.models.heads._contract import Head


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


def _as_mapping(value: Any) -> Any:
    """Labels as the data has them: numbers are labels too, and a list of labels tells their names only."""
    named = dict.fromkeys(value) if isinstance(value, list | tuple) else value
    return {str(label).strip(): words for label, words in named.items()} if isinstance(named, dict) else named


def _clear(told: dict[str, str | None]) -> dict[str, str | None]:
    refuse_unclear_words(told)
    return told


ToldLabels = Annotated[dict[str, str | None], BeforeValidator(_as_mapping), AfterValidator(_clear)]
"""A task's setting `labels`: label → the words that tell what it means, or null for its own name."""


def refuse_wordless_head(told: Mapping[str, str | None], head: Head | None, instead: str) -> None:
    """Raise `ValueError` where labels are told in words and the head that was named cannot start from any."""
    if told and head is not None and not head.is_started:
        raise ValueError(
            f"labels are told in words, which the head '{head.part_name}' cannot start from; "
            f"leave the head out, or set head: {instead}"
        )
