"""Texts that belong together but are encoded apart: one feature holds them all, one after the other.

A batch of B pairs is 2 B rows of the network: first text, second text, first text … The network gives a vector of
length 1 for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from burnish.tasks._contract import Arrays, Encoded, Example, Feature
from burnish.tasks._rows import pad_inputs

if TYPE_CHECKING:
    from tokenizers import Encoding
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

MARGIN = 0.5  # cosine distance that texts which do not match must keep (Hadsell, Chopra and LeCun 2006)
TEMPERATURE = 0.05  # of cosines in the in-batch objective (Gao, Yao and Chen 2021, arXiv 2104.08821, §3)


def encode_apart(examples: Sequence[Example], tokenizer: TextTokenizer) -> list[Encoded]:
    """One feature a pair of texts."""
    texts = [example[name] for example in examples for name in ("text", "text_pair")]
    encodings = tokenizer.ids(texts)
    return [side_by_side(pair) for pair in zip(encodings[::2], encodings[1::2], strict=True)]


def encode_beside(examples: Sequence[Example], tokenizer: TextTokenizer) -> list[Encoded]:
    """The same in one row of the network: input_ids [T] of both, each as if it stood alone, and sides [T], 1 and 2."""
    encoded = []
    for one in encode_apart(examples, tokenizer):
        (feature,) = one.features
        sides = np.repeat(np.arange(1, 3, dtype=np.int32), feature["n_each"])
        encoded.append(replace(one, features=[{"input_ids": feature["input_ids"], "sides": sides}]))
    return encoded


def side_by_side(encodings: Sequence[Encoding]) -> Encoded:
    """One feature of n texts: input_ids [T1 + … + Tn], and n_each [n], the tokens of each."""
    ids = np.asarray([token for one in encodings for token in one.ids], np.int32)
    n_cut = sum(len(piece.ids) for one in encodings for piece in one.overflowing)
    feature = {"input_ids": ids, "n_each": np.asarray([len(one.ids) for one in encodings], np.int32)}
    return Encoded([feature], n_tokens=len(ids) + n_cut, n_cut=n_cut)


def pad_apart(features: Sequence[Feature], pad_id: int) -> tuple[Arrays, int]:
    """input_ids and attention_mask [R, T] of the R texts of all features, in order; and the count of real tokens."""
    rows = [
        {"input_ids": piece}
        for feature in features
        for piece in np.split(feature["input_ids"], np.cumsum(feature["n_each"])[:-1])
    ]
    return pad_inputs(rows, pad_id)


def pair_loss(
    objective: Literal["cosine", "contrastive", "in_batch"], vectors: Tensor, wanted: Tensor, smoothing: float
) -> Tensor:
    """Mean loss of B pairs: vectors [2 B, H], wanted scores [B] in 0 … 1.

    cosine: squared distance of cosine and score (Reimers and Gurevych 2019, §3). contrastive: squared cosine distance
    of matches, squared shortfall of the margin of others (Hadsell et al. 2006). in_batch: cross-entropy of each match
    among all second texts of the batch (Henderson et al. 2017, arXiv 1705.00652, §4.4).
    """
    from torch.nn.functional import mse_loss

    first, second = vectors[::2], vectors[1::2]
    if objective == "in_batch":
        return _in_batch_loss(first, second, wanted > 0.5, smoothing)
    wanted = wanted * (1 - smoothing) + smoothing / 2
    cosines = (first * second).sum(-1)
    if objective == "cosine":
        return mse_loss(cosines, wanted)
    distance = 1 - cosines
    return (wanted * distance**2 + (1 - wanted) * (MARGIN - distance).clamp(min=0) ** 2).mean() / 2


def _in_batch_loss(first: Tensor, second: Tensor, is_match: Tensor, smoothing: float) -> Tensor:
    import torch

    if not bool(is_match.any()):
        return vectors_untouched(first, second)
    own = torch.arange(len(second), device=second.device)[is_match]
    return choice_loss(first[is_match] @ second.T, own, smoothing)


def choice_loss(cosines: Tensor, own: Tensor, smoothing: float) -> Tensor:
    """Cross-entropy of choosing each row's own of the P columns of cosines [B, P]; `own` [B] says which that is."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(cosines / TEMPERATURE, own, label_smoothing=smoothing)


def vectors_untouched(first: Tensor, second: Tensor) -> Tensor:
    """A loss of 0 that still reaches every weight: a batch without a match has nothing to teach."""
    return (first.sum() + second.sum()) * 0.0


def pair_scores(outputs: NDArray[np.float64]) -> NDArray[np.float64]:
    """[N] cosines of two vectors side by side [N, 2 H]."""
    first, second = np.split(outputs, 2, axis=1)
    return np.asarray((first * second).sum(axis=1))
