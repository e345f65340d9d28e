"""Long texts as blocks that a base can read: every token in one of them, cut where a sentence ends if that fits.

A block holds tokens of one text only, so attention and positions never run from one text into another. Texts are not
joined to fill blocks: batches hold blocks of like length, so there is next to nothing to fill.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from burnish.data.sentences import sentence_ends

if TYPE_CHECKING:
    from burnish.models.tokenizer import TextTokenizer

CHARACTERS_AT_ONCE = 1_000_000
"""Of texts that are tokenized together: what a tokenizer says of a token takes a hundred times the token's own room."""


class Tokens(NamedTuple):
    """A whole text: ids [T], and offsets [T, 2] of their characters in it."""

    ids: NDArray[np.int32]
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
    ends = np.unique(np.searchsorted(offsets[:, 0], sentence_ends(text)))
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
