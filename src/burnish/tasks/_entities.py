"""Two entities in the text that a model reads: marks of punctuation around them, and features that hold both.

`@ head @` and `# tail #` need no new words in the vocabulary and do about as well as marks that are learned (Zhou and
Chen 2021, arXiv 2102.01373, §3.2, "entity marker (punct)").
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burnish.data.entities import Entities
from burnish.tasks._contract import Encoded, Example, Feature

if TYPE_CHECKING:
    from tokenizers import Encoding

    from burnish.models.tokenizer import TextTokenizer

HEAD, TAIL = "@", "#"
Places = tuple[int, int]
Ints = NDArray[np.int64]


def with_marks(entities: Entities) -> tuple[str, Places, Places]:
    """The text with marks in it, and the characters of the opening and the closing mark of head and of tail.

    A space stands before an opening mark and around the entity, so that every tokenizer gives the mark its own token.
    """
    text, end, places = "", 0, {}
    for mark, (start, stop) in sorted(((HEAD, entities.head), (TAIL, entities.tail)), key=lambda item: item[1]):
        text += entities.text[end:start]
        text += " " if text and not text[-1].isspace() else ""
        opening = len(text)
        text += f"{mark} {entities.text[start:stop]} {mark}"
        places[mark] = (opening, len(text) - 1)
        end = stop
    return text + entities.text[end:], places[HEAD], places[TAIL]


def encode_marked(examples: Sequence[Example], tokenizer: TextTokenizer) -> list[Encoded]:
    """One feature an example: input_ids [T], and starts [2], the tokens of the opening marks of head and tail."""
    encodings = tokenizer.pieces([example["text"] for example in examples])
    return [_encoded(example, one, tokenizer) for example, one in zip(examples, encodings, strict=True)]


def _encoded(example: Example, encoding: Encoding, tokenizer: TextTokenizer) -> Encoded:
    ends = [end for _, end in encoding.offsets]
    opening, closing = ([bisect_right(ends, example[name][side]) for name in ("head", "tail")] for side in (0, 1))
    room = tokenizer.max_length - len(tokenizer.prefix) - len(tokenizer.suffix)
    kept = _kept(len(ends), sorted(opening), max(closing) + 1, room)
    ids = np.asarray(encoding.ids, np.int32)[kept]
    feature = {
        "input_ids": np.asarray([*tokenizer.prefix, *ids, *tokenizer.suffix], np.int32),
        "starts": (len(tokenizer.prefix) + np.searchsorted(kept, opening)).astype(np.int32),
    }
    notes = (example["note"], _cut_note(max(closing) + 1 - min(opening), room))
    n_cut = len(ends) - len(kept)
    return Encoded([feature], len(feature["input_ids"]) + n_cut, n_cut, tuple(note for note in notes if note))


def _kept(n_tokens: int, starts: Sequence[int], end: int, room: int) -> Ints:
    """Which tokens a feature holds when `room` fit: as much around the entities as there is room for.

    `starts` are the opening marks in text order, `end` lies after the last closing mark. Entities too far apart for
    one piece give two, each from an opening mark on.
    """
    first, second = starts
    if end - first <= room:
        begin = int(np.clip(first - (room - (end - first)) // 2, 0, max(n_tokens - room, 0)))
        return np.arange(begin, min(begin + room, n_tokens))
    n_first = min(room // 2, second - first)
    pieces = np.arange(first, first + n_first), np.arange(second, min(second + room - n_first, n_tokens))
    return np.concatenate(pieces)


def _cut_note(n_needed: int, room: int) -> str | None:
    if n_needed <= room:
        return None
    return f"the two entities and what lies between them are {n_needed} tokens, of which {room} fit; the middle is cut."


def stacked_starts(features: Sequence[Feature]) -> Ints:
    """The tokens [B, 2] at which head and tail start."""
    return np.stack([feature["starts"] for feature in features]).astype(np.int64)
