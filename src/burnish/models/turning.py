"""Texts to token ids for bases that turn one text into another: an encoder reads, a decoder writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from burnish.core.errors import UserError
from burnish.core.files import read_json
from burnish.models.inspection import read_config
from burnish.models.lm import GENERATION, end_ids
from burnish.models.tokenizer import TextTokenizer, load_tokenizer

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True)
class PairTokenizer:
    """A reader of texts and of what they are turned into. `start` is the token that a decoder starts from."""

    tokenizer: TextTokenizer
    ends: tuple[int, ...]
    start: int

    @property
    def pad_id(self) -> int:
        return self.tokenizer.pad_id

    @property
    def max_length(self) -> int:
        return self.tokenizer.max_length

    @property
    def prompt(self) -> str:
        return self.tokenizer.prompt

    def sources(self, texts: Sequence[str]) -> list[Encoding]:
        """What the encoder reads; the end of a longer text is cut off and stands in `overflowing`."""
        return self.tokenizer.ids(texts)

    def target(self, text: str) -> list[int]:
        """What the decoder writes: the text as the tokenizer frames it, and the token that ends it; never cut."""
        self.tokenizer.backend.no_truncation()
        ids = list(self.tokenizer.backend.encode(text).ids)
        return ids if ids and ids[-1] in self.ends else [*ids, self.ends[0]]

    def save(self, folder: Path, source: Path) -> None:
        self.tokenizer.save(folder, source)


def load_pair_tokenizer(folder: Path, max_length: int | None, prompt: str, n_written: int) -> PairTokenizer:
    """The reader for the base in `folder`, which is to write `n_written` tokens at most.

    Raises:
        UserError: there is no usable tokenizer, or the base's decoder has no such length.
    """
    tokenizer = load_tokenizer(folder, max_length, prompt=prompt)
    most = load_tokenizer(folder).max_length if max_length is not None else tokenizer.max_length
    if n_written > most:
        raise UserError(f"task.decoding.max_new_tokens: this base writes at most {most} tokens; got {n_written}.")
    return PairTokenizer(tokenizer, end_ids(folder), _start_id(folder))


def _start_id(folder: Path) -> int:
    settings = read_json(folder / GENERATION) if (folder / GENERATION).is_file() else {}
    for found in (settings.get("decoder_start_token_id"), read_config(folder).get("decoder_start_token_id")):
        if isinstance(found, int):
            return found
    raise UserError(
        f"base: {folder.name} names no token that its decoder starts from (decoder_start_token_id in config.json); "
        "add it."
    )
