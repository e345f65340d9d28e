"""Text that fits a JSON schema: which tokens may come next, as the library llguidance tells from what is written.

It knows a grammar made of the schema and the bytes of every token, and finds the tokens with which the text so far can
still become JSON that fits. What is written in the end therefore parses and validates, whatever the network says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import LogitsProcessor

from burnish.core.errors import UserError
from burnish.core.shelves import need

SETTING = "task.decoding.json_schema"
SPACE = r"( |\n {0,12})"
"""White space between values: a space, or a new line with its indentation, as answers to learn from may have it. A free
choice of it would let a weak model write nothing else."""
FORBIDDEN = -torch.inf


def read_schema(path: Path) -> dict[str, Any]:
    """The schema in a JSON file.

    Raises:
        UserError: there is no such file, or it holds no JSON object.
    """
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError:
        raise UserError(
            f"{SETTING}: there is no file {path}; name a JSON file, or write the schema in its place."
        ) from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise UserError(f"{SETTING}: {path} is not valid JSON ({error}).") from None
    if not isinstance(found, dict):
        raise UserError(f"{SETTING}: {path} must hold a JSON object; it holds {type(found).__name__}.")
    return found


def check_schema(schema: Mapping[str, Any], vocabulary: Tokenizer, ends: Sequence[int]) -> None:
    """Raise `UserError` unless text of this tokenizer can be held to the schema."""
    library = need("llguidance", "generate")
    found = library.LLMatcher.validate_grammar(_grammar(schema), _reader(vocabulary, tuple(ends)))
    if found and not found.startswith("WARNING"):
        reason = found.strip().split("\n")[0][:200]
        raise UserError(f"{SETTING}: this schema cannot be compiled ({reason}); say it with simpler keywords.")


class FitsSchema(LogitsProcessor):
    """Takes from each row the tokens with which its text could not fit the schema any more.

    What may follow depends on the written tokens alone, by which states are kept: rows may stand anywhere, and beams
    may go on from each other. A beam that was given up is left as it is.
    """

    def __init__(self, schema: Mapping[str, Any], vocabulary: Tokenizer, ends: Sequence[int], n_before: int) -> None:
        library = need("llguidance", "generate")
        self.n_before = n_before
        self.states: dict[tuple[int, ...], Any] = {
            (): library.LLMatcher(_reader(vocabulary, tuple(ends)), _grammar(schema), log_level=0)
        }

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        rows = [tuple(row) for row in input_ids[:, self.n_before :].tolist()]
        self.states = {row: self._state(row) for row in rows}
        forbidden = np.stack([_forbidden(self.states[row], scores.shape[1]) for row in rows])
        return scores.masked_fill(torch.from_numpy(forbidden).to(scores.device), FORBIDDEN)

    def _state(self, written: tuple[int, ...]) -> Any:
        if not written:
            return self.states[written]
        before = self.states[written[:-1]]
        if before.is_stopped() or before.is_error():
            return before
        after = before.deep_copy()
        after.consume_token(written[-1])
        return after


def _forbidden(state: Any, n_logits: int) -> np.ndarray:
    """[V] whether each token must not come next; behind finished JSON all but those that end it."""
    if state.is_error():
        return np.zeros(n_logits, bool)
    bits = np.unpackbits(np.frombuffer(state.compute_bitmask(), np.uint8), bitorder="little")[:n_logits]
    return np.concatenate([bits == 0, np.ones(n_logits - len(bits), bool)])


def _grammar(schema: Mapping[str, Any]) -> str:
    from llguidance import LLMatcher

    return str(LLMatcher.grammar_from_json_schema(json.dumps(dict(schema)), overrides={"whitespace_pattern": SPACE}))


@lru_cache(maxsize=4)
def _reader(vocabulary: Tokenizer, ends: tuple[int, ...]) -> Any:
    """The bytes of every token, sorted: it takes half a second to make, and is the same for every text.

    Raises:
        UserError: the tokenizer has no bytes, as one that lowers letters and drops spaces.
    """
    from llguidance import LLTokenizer

    try:
        return LLTokenizer(vocabulary.to_str(), eos_token=list(ends))
    except ValueError as error:
        reason = str(error).split("\n")[0][:120]
        raise UserError(
            f"{SETTING}: the tokenizer of this base cannot be held to a schema ({reason}); take a base whose tokens "
            "are bytes or pieces of text, such as SmolLM2, Llama or Qwen."
        ) from None
