"""Which models are encoders: text in, one pass, numbers out. What a runtime without torch computes."""

from __future__ import annotations

from burnish.compression.subject import Subject

GIVES = frozenset({"rows", "pairs", "entities", "tokens", "words", "spans", "vectors", "cosines"})


def not_an_encoder(subject: Subject) -> str | None:
    """Why an encoder's method does not suit a model; None where it does."""
    gives = subject.task.head_part.gives
    if gives in GIVES:
        return None
    return f"it is for encoders of text; the head '{subject.task.head_part.part_name}' is none of them."
