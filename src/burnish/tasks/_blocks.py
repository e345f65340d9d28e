"""Long texts as blocks that a base can read: every token in one of them, cut where a sentence ends if that fits.

A block holds tokens of one text only, so attention and positions never run from one text into another. Texts are not
joined to fill blocks: batches hold blocks of like length, so there is next to nothing to fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.data.sentences import sentence_ends

if TYPE_CHECKING:
    from burnish.models.tokenizer import TextTokenizer

Ints = NDArray[np.int32]

CHARACTERS_AT_ONCE = 1_000_000
"""Of texts that are tokenized together: what a tokenizer says of a token takes a hundred times the token's own room."""


@dataclass(frozen=True)
class BlockReader:
    """A tokenizer and the token that matters beside the text's: the mask, or the end of a text."""

    tokenizer: TextTokenizer
    mark: str
    mark_id: int

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_id

    @property
    def max_length(self) -> int:
        return self.tokenizer.max_length

    @property
    def prompt(self) -> str:
        return self.tokenizer.prompt

    @property
    def room(self) -> int:
        """Tokens of a text that fit into a block, beside those around it."""
        return self.max_length - len(self.tokenizer.prefix) - len(self.tokenizer.suffix)

    def around(self, body: Ints, fill: int | None = None) -> Ints:
        """A block's tokens with those before and after; or something else of them, with `fill` for those."""
        ends = [np.array(ids, np.int32) for ids in (self.tokenizer.prefix, self.tokenizer.suffix)]
        before, after = ends if fill is None else [np.full_like(ids, fill) for ids in ends]
        return np.concatenate([before, body, after])

    def save(self, folder: Path, source: Path) -> None:
        """The tokenizer. It may read as much at once as the base allows, however short the blocks were."""
        from burnish.models.tokenizer import allowed_length

        replace(self.tokenizer, max_length=allowed_length(source)).save(folder, source)


class Tokens(NamedTuple):
    """A whole text: ids [T], and offsets [T, 2] of their characters in it."""

    ids: Ints
    offsets: NDArray[np.int64]


def tokens_of(texts: Sequence[str], tokenizer: TextTokenizer) -> Iterator[Tokens]:
    """The tokens of each text, without special ones around them, few texts at once."""
    start, size = 0, 0
    for at, text in enumerate(texts):
        size += len(text)
        if size >= CHARACTERS_AT_ONCE or at + 1 == len(texts):
            for found in tokenizer.pieces(texts[start : at + 1]):
                yield Tokens(np.array(found.ids, np.int32), np.array(found.offsets, np.int64).reshape(-1, 2))
            start, size = at + 1, 0


def cut_in_blocks(text: str, offsets: NDArray[np.int64], room: int) -> list[slice]:
    """Slices of the tokens, at most `room` long, one after the other without a gap; one of nothing for no tokens.

    A block ends with the last sentence that ends in its second half, else with the last whole word there, else full.
    """
    n = len(offsets)
    ends = np.append(0, np.searchsorted(offsets[:, 0], sentence_ends(text)))
    is_after_space = np.array([text[start - 1 : start].isspace() or text[start].isspace() for start in offsets[:, 0]])
    blocks, at = list[slice](), 0
    while n - at > room:
        end = _cut(ends, is_after_space, at, at + room)
        blocks.append(slice(at, end))
        at = end
    return [*blocks, slice(at, n)]


def _cut(ends: NDArray[np.int64], is_after_space: NDArray[np.bool_], at: int, most: int) -> int:
    middle = (at + most) // 2
    last = int(ends[np.searchsorted(ends, most, side="right") - 1])
    if last > middle:
        return last
    starts = np.flatnonzero(is_after_space[middle + 1 : most + 1])
    return middle + 1 + int(starts[-1]) if len(starts) else most
