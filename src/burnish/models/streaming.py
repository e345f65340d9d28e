"""Text told piece by piece while it is written. What was told is never taken back, and joined it is the whole text."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any

import torch
from torch import Tensor
from transformers import StoppingCriteria
from transformers.generation.streamers import BaseStreamer

from burnish.core.errors import UserError
from burnish.models.decoding import Decoding
from burnish.models.network import Network
from burnish.models.writing import Watch, draft_of, generated

UNREADABLE = "\N{REPLACEMENT CHARACTER}"
"""What the bytes of a character read as while its last ones are not written yet."""
MOST_OPEN = 3
"""Bytes of a character of which the last one lacks."""


def stream(network: Network, prompt: Tensor, how: Decoding, ends: Sequence[int]) -> Generator[str, None, bool]:
    """Pieces of the text for one prompt [T], the same text that `write` gives; returns whether it ended by itself.

    transformers writes in a thread of its own; whoever stops reading stops the writing at its next token.

    Raises:
        UserError: with beams, which are not settled before the end.
    """
    if how.num_beams > 1:
        raise UserError(
            f"task.decoding.num_beams: with {how.num_beams} beams the text is settled at its end only, so it cannot be "
            "streamed; ask for it whole, or write with 1."
        )
    assert network.vocabulary is not None, "a network that writes knows its vocabulary"
    pieces, ids = Pieces(how.stop), []
    for token in _tokens(network, prompt, how, ends):
        ids.append(token)
        if token not in ends and (piece := pieces.more(network.vocabulary.decode(ids))):
            yield piece
    draft = draft_of(ids, network.vocabulary, how, ends)
    if rest := pieces.rest(draft.text):
        yield rest
    return draft.is_finished


@dataclass
class Pieces:
    """What may be told of a text that grows: no part of a character, of a stop text, or of the white space around."""

    stops: Sequence[str] = ()
    told: str = ""

    def more(self, text: str) -> str:
        """What is new and certain, now that `text` is all that was written."""
        return self.rest(_certain(text, self.stops))

    def rest(self, text: str) -> str:
        """What of `text` was not told yet."""
        piece = text[len(self.told) :] if text.startswith(self.told) else ""
        self.told += piece
        return piece


def _certain(text: str, stops: Sequence[str]) -> str:
    """The start of a text that stays whatever is written behind it."""
    at = [place for stop in stops if (place := text.find(stop)) >= 0]
    text = text[: min(at) if at else _end_of_certain(text, stops)].lstrip()
    while text != (shorter := text.rstrip().rstrip(UNREADABLE)):
        text = shorter
    return text


def _end_of_certain(text: str, stops: Sequence[str]) -> int:
    """Where a stop text may have begun at the end of a text, or its length.

    What is unreadable there may become a character of the stop text, so it may also begin before.
    """
    n_open = min(len(text) - len(text.rstrip(UNREADABLE)), MOST_OPEN)
    readings = [text[: len(text) - n] for n in range(n_open + 1)]
    return min(len(one) - max((_begun(one, stop) for stop in stops), default=0) for one in readings)


def _begun(text: str, stop: str) -> int:
    """How many characters at the end of a text may be the start of a stop text."""
    return next((n for n in range(min(len(stop) - 1, len(text)), 0, -1) if text.endswith(stop[:n])), 0)


def _tokens(network: Network, prompt: Tensor, how: Decoding, ends: Sequence[int]) -> Iterator[int]:
    """Token ids as they are written."""
    told: SimpleQueue[int | BaseException | None] = SimpleQueue()
    is_left = Event()

    def work() -> None:
        try:
            with torch.inference_mode():
                generated(network, [prompt], how, ends, Watch(_Teller(told), _Left(is_left)))
            told.put(None)
        except BaseException as error:  # raised again where it is waited for
            told.put(error)

    worker = Thread(target=work, daemon=True)
    worker.start()
    try:
        while (found := told.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        is_left.set()
        worker.join()


class _Teller(BaseStreamer):
    """Hands on each token; what transformers tells first is the prompt."""

    def __init__(self, told: SimpleQueue[Any]) -> None:
        self.told = told
        self.is_prompt = True

    def put(self, value: Tensor) -> None:
        for token in [] if self.is_prompt else value.tolist():
            self.told.put(token)
        self.is_prompt = False

    def end(self) -> None:
        return


class _Left(StoppingCriteria):
    """Ends the writing once nobody reads it any more."""

    def __init__(self, is_left: Event) -> None:
        self.is_left = is_left

    def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> Tensor:
        return torch.full((len(input_ids),), self.is_left.is_set(), device=input_ids.device)
