"""What a network of preferences reads and learns: features, batches, candidates, the loss of choosing among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from burnish.data.features import COST_FIELD
from burnish.tasks._contract import Arrays, Collated, Feature
from burnish.tasks._rows import pad_inputs

if TYPE_CHECKING:
    from torch import Tensor

    from burnish.models.tokenizer import TextTokenizer

NONE = -1
"""Stands where a row has fewer items than another."""
ONE = np.ones(1, np.int32)
"""What a row costs: however long its history, it is a row of small vectors, so a budget of tokens counts rows."""
FAR = -1e9


def text_features(texts: Sequence[str], tokenizer: TextTokenizer) -> tuple[list[Feature], int]:
    """A feature a text, and how many texts were cut."""
    encodings = tokenizer.ids(texts)
    features = [{"input_ids": np.asarray(one.ids, np.int32)} for one in encodings]
    return features, sum(bool(one.overflowing) for one in encodings)


def item_features(n: int) -> list[Feature]:
    return [{"items": np.array([number], np.int32), COST_FIELD: ONE} for number in range(n)]


def row_feature(history: Sequence[int], n_read: int, gold: Sequence[int], negatives: Sequence[int]) -> Feature:
    """`history` [≤ n_read] is read; `seen` is all of it, which is not recommended again; `gold` where there is one."""
    past = np.asarray(history, np.int32)
    feature = {"history": past[-n_read:], COST_FIELD: ONE}
    if not gold:
        return feature
    return {**feature, "seen": past, "gold": np.asarray(gold, np.int32), "given": np.asarray(negatives, np.int32)}


def with_drawn(features: Sequence[Feature], n: int, weights: NDArray[np.float64], draw: np.random.Generator
               ) -> list[Feature]:  # fmt: skip
    """Each with `n` items drawn by their weights [N], which do not add up to 1."""
    ends = np.cumsum(weights)
    drawn = np.searchsorted(ends, draw.random((len(features), n)) * ends[-1], side="right").astype(np.int32)
    return [{**feature, "drawn": row} for feature, row in zip(features, drawn, strict=True)]


def batch_of(features: Sequence[Feature], pad_id: int, weights: NDArray[np.float64]) -> Collated:
    """A batch of texts, of items, or of rows; `weights` [N] are those by which items are drawn, 0 for one never is.

    Rows with gold also have candidates: those drawn for any of them, or all with a weight where none were drawn, and
    the rows' own gold and given negatives.
    """
    if "input_ids" in features[0]:
        texts, n_tokens = pad_inputs(features, pad_id)
        return Collated(texts, {}, len(features), n_tokens)
    if "items" in features[0]:
        items = np.concatenate([feature["items"] for feature in features])
        return Collated({"items": items.astype(np.int64)}, {}, len(features), len(features))
    inputs: Arrays = {"history": _padded([feature["history"] for feature in features], is_left=True)}
    targets: Arrays = {}
    if "gold" in features[0]:
        inputs["candidates"], columns, offsets = _candidates(features, weights)
        lists = {name: _padded([one[name] for one in features]) for name in ("gold", "seen", "given")}
        found = {name: columns[array] for name, array in lists.items()}  # -1 takes the last: absent
        targets = {**found, "offsets": offsets}
    return Collated(inputs, targets, len(features), len(features))


def _candidates(features: Sequence[Feature], weights: NDArray[np.float64]
                ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float32]]:  # fmt: skip
    """Candidates [C]; the column of each item [N + 1], C for those that are none; offsets [C + 1] of the columns.

    A drawn item's score is raised by the logarithm of 1 ÷ the probability that it was among the drawn: its exponential
    then stands for those that were not, and often drawn items are not held back for being so (Bengio and Senécal 2008;
    Yi et al. 2019, RecSys, §3.2, "logQ"). What is a candidate only as some row's own is far from all other rows.
    """
    n = len(weights)
    if "drawn" in features[0]:
        drawn = np.concatenate([feature["drawn"] for feature in features])
        chance = -np.expm1(len(drawn) * np.log1p(-weights / weights.sum()))
        chance = np.where(np.isin(np.arange(n), drawn), chance, 0.0)
    else:
        chance = (weights > 0).astype(float)
    own = np.concatenate([feature[name] for feature in features for name in ("gold", "given")])
    candidates = np.union1d(np.flatnonzero(chance > 0), own).astype(np.int64)
    columns = np.full(n + 1, len(candidates), np.int64)
    columns[candidates] = np.arange(len(candidates))
    offsets = np.full(len(candidates) + 1, FAR, np.float32)
    is_drawn = chance[candidates] > 0
    offsets[:-1][is_drawn] = -np.log(chance[candidates][is_drawn])
    return candidates, columns, offsets


def _padded(lists: Sequence[NDArray[np.int32]], is_left: bool = False) -> NDArray[np.int64]:
    """[B, longest], at least one column, NONE before (`is_left`) or after what a row has."""
    array = np.full((len(lists), max(1, *map(len, lists))), NONE, np.int64)
    for row, one in zip(array, lists, strict=True):
        if len(one):
            row[slice(-len(one), None) if is_left else slice(len(one))] = one
    return array


def preference_loss(scores: Tensor, targets: dict[str, Tensor], smoothing: float) -> Tensor:
    """Cross-entropy of a row's gold among the candidates, scores [B, C]; of several gold items, each has its share.

    What the row's history holds is no candidate for it. A row that says which items were shown and not chosen also
    learns to tell its gold from those alone, and both losses count alike (Wu et al. 2019, NRMS, EMNLP, §2.3).
    """
    gold, seen, given = (_marked(targets[name], scores) for name in ("gold", "seen", "given"))
    offsets = targets["offsets"][:-1].expand_as(scores)
    offsets = offsets.masked_fill(seen, FAR).masked_fill(gold | given, 0.0)
    among_all = _choice(scores + offsets, gold, offsets > FAR / 2, smoothing)
    if not bool(given.any()):
        return among_all.mean()
    has_given = given.any(1)
    among_shown = _choice(scores.masked_fill(~(gold | given), FAR), gold, gold | given, smoothing)
    return (among_all * (1 - 0.5 * has_given.float()) + 0.5 * among_shown * has_given.float()).mean()


def _marked(columns: Tensor, scores: Tensor) -> Tensor:
    """[B, C] true at the columns [B, K] of each row; the column C is none."""
    import torch

    marks = torch.zeros(len(scores), scores.shape[1] + 1, dtype=torch.bool, device=scores.device)
    return marks.scatter(1, columns, torch.ones_like(columns, dtype=torch.bool))[:, :-1]


def _choice(logits: Tensor, gold: Tensor, is_allowed: Tensor, smoothing: float) -> Tensor:
    """[B] cross-entropy with the gold, `smoothing` of it spread over what is allowed."""
    wanted = gold.float() / gold.sum(1, keepdim=True)
    if smoothing:
        spread = is_allowed.float() / is_allowed.sum(1, keepdim=True)
        wanted = (1 - smoothing) * wanted + smoothing * spread
    return -(wanted * logits.log_softmax(1)).sum(1)
