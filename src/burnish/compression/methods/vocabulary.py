"""Vocabulary pruning: tokens that never occur in the texts at hand go (Abdaoui et al. 2020, arXiv 2010.05609)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from burnish.compression.methods._contract import Method

if TYPE_CHECKING:
    from burnish.compression.subject import Material, Subject


class VocabularyPruning(Method):
    """Texts whose tokens stay are split as before and get the same logits; only other words are split anew.

    Ids change. Features made before do not fit the new model, so material that follows is made with its reader.
    """

    makes = "network"

    least: int = Field(default=1, ge=1)
    """A token stays that occurs at least so often in all known texts. More than 1 changes how rare words are split."""

    common: int = Field(default=10_000, ge=0)
    """So many of the tokenizer's first tokens stay though they may never occur; most list theirs by frequency. It keeps
    words whole that only later texts will have."""

    characters: bool = True
    """Whether single characters stay though they never occur, so that every unseen word can still be spelled."""

    def refusal(self, subject: Subject) -> str | None:
        from burnish.compression.methods._cutting import refuse_cut

        return refuse_cut(subject)

    def apply(self, subject: Subject, material: Material) -> Subject:
        from burnish.compression.methods._cutting import cut_subject, seen_ids

        seen = seen_ids(material.features(), self.least) | set(range(self.common))
        return cut_subject(subject, material, seen, self.characters).after(self)
