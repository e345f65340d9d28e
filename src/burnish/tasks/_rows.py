"""What tasks that give one row of logits a text share: reading texts, encoding, padding, stacking outputs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from burnish.tasks._contract import Answered, Arrays, Encoded, Example, Feature

if TYPE_CHECKING:
    from burnish.models.tokenizer import TextTokenizer


def text_of(values: Mapping[str, Any], column: str, is_labelled: bool) -> str:
    """The text in a column. An empty one is refused in training data and allowed when predicting."""
    value = values.get(column)
    if value is not None and not isinstance(value, str):
        if isinstance(value, float) and math.isnan(value):  # NaN, as pandas writes a missing cell
            value = None
        elif isinstance(value, bool | int | float):
            value = str(value)
        else:
            raise ValueError(f"'{column}' must be text; got {type(value).__name__}.")
    if is_labelled and (value is None or not value.strip()):
        raise ValueError(
            f"'{column}' is empty; give it a text or take the row out (data.bad_rows: drop skips such rows)."
        )
    return value or ""


def is_missing(value: Any) -> bool:
    """Whether a cell holds nothing: no value, white space, or NaN, as pandas writes a missing cell."""
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, float) and math.isnan(value))


def encode_rows(examples: Sequence[Example], tokenizer: TextTokenizer) -> list[Encoded]:
    """One feature an example: input_ids [T], and token_type_ids [T] where the second of a pair has types of its own.

    Texts and pairs may stand side by side: what an example is encoded to does not depend on its neighbours.
    """
    pairs = [example.get("text_pair") for example in examples]
    inputs = [e["text"] if pair is None else (e["text"], pair) for e, pair in zip(examples, pairs, strict=True)]
    encoded = []
    for encoding in tokenizer.ids(inputs):
        feature = {"input_ids": np.asarray(encoding.ids, np.int32)}
        if tokenizer.has_pair_types:
            feature["token_type_ids"] = np.asarray(encoding.type_ids, np.int32)
        n_cut = sum(len(piece.ids) for piece in encoding.overflowing)
        encoded.append(Encoded([feature], n_tokens=len(encoding.ids) + n_cut, n_cut=n_cut))
    return encoded


def pad_inputs(features: Sequence[Feature], pad_id: int) -> tuple[Arrays, int]:
    """input_ids, attention_mask (and token_type_ids, sides) as [B, T] int64 arrays; and the count of real tokens."""
    lengths = [len(feature["input_ids"]) for feature in features]
    shape = (len(features), max(lengths))
    inputs: Arrays = {"input_ids": np.full(shape, pad_id, np.int64), "attention_mask": np.zeros(shape, np.int64)}
    along = [name for name in ("token_type_ids", "sides") if name in features[0]]
    inputs |= {name: np.zeros(shape, np.int64) for name in along}
    for row, (feature, length) in enumerate(zip(features, lengths, strict=True)):
        inputs["input_ids"][row, :length] = feature["input_ids"]
        inputs["attention_mask"][row, :length] = 1
        for name in along:
            inputs[name][row, :length] = feature[name]
    return inputs, sum(lengths)


def stack_outputs(answered: Sequence[Answered]) -> NDArray[np.float64]:
    """[N, L] logits of texts with one feature each."""
    return np.stack([row.outputs[0] for row in answered]).astype(np.float64)
