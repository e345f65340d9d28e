"""Several examples in one row of the network, kept apart: each sees itself alone and counts its positions from 0.

What Krell et al. 2021 (arXiv 2107.02027) call packing without cross-contamination.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from burnish.tasks._contract import Arrays, Feature


def pack_rows(features: Sequence[Feature]) -> list[Feature]:
    """The features of a batch in as few rows as fit into the longest of them; `n_each` [n] are the tokens of each.

    First fit from the longest on (Johnson 1973).
    """
    order = sorted(range(len(features)), key=lambda index: (-len(features[index]["input_ids"]), index))
    room = len(features[order[0]]["input_ids"])
    rows: list[list[int]] = []
    left: list[int] = []
    for index in order:
        size = len(features[index]["input_ids"])
        row = next((number for number, free in enumerate(left) if free >= size), None)
        if row is None:
            rows.append([])
            left.append(room)
            row = len(rows) - 1
        rows[row].append(index)
        left[row] -= size
    return [_joined([features[index] for index in row]) for row in rows]


def _joined(features: Sequence[Feature]) -> Feature:
    joined = {name: np.concatenate([feature[name] for feature in features]) for name in ("input_ids", "is_learned")}
    joined["n_each"] = np.array([len(feature["input_ids"]) for feature in features], np.int32)
    starts = np.cumsum(joined["n_each"]) - joined["n_each"]
    joined["is_learned"][starts] = 0  # the first token of an example would be told from the last of another
    return {**joined, "n_prompt": features[0]["n_prompt"], "ends": features[0]["ends"]}


def packed_inputs(features: Sequence[Feature], width: int) -> Arrays:
    """position_ids [B, T], and attention_mask [B, 1, T, T]: 0 where a token sees another, far below 0 elsewhere."""
    owner = np.full((len(features), width), -1)  # which example of its row a token belongs to; padding to none
    positions = np.zeros((len(features), width), np.int64)
    for row, feature in enumerate(features):
        each = feature["n_each"]
        owner[row, : each.sum()] = np.repeat(np.arange(len(each)), each)
        positions[row, : each.sum()] = np.concatenate([np.arange(n) for n in each])
    is_seen = (owner[:, :, None] == owner[:, None, :]) & np.tri(width, dtype=bool)
    mask = np.where(is_seen, np.float32(0), np.finfo(np.float32).min)
    return {"position_ids": positions, "attention_mask": mask[:, None]}
