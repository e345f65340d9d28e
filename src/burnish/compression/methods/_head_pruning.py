"""Which attention heads stay, and blocks that have those only."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from burnish.compression.methods._blocks import Stack, keep_columns, keep_rows
from burnish.compression.methods._importance import columns_of, most_important


def heads_of(stack: Stack) -> list[int]:
    """How many heads each layer has."""
    return [output.in_features // stack.head_size for output in stack.linears("output")]


def n_kept(heads: Sequence[int], share: float, is_even: bool) -> list[int]:
    """How many heads stay: in each layer, or in all together as the only number. At least one a layer."""
    if is_even:
        return [max(1, round(share * n_heads)) for n_heads in heads]
    return [max(len(heads), round(share * sum(heads)))]


def chosen_heads(scores: Sequence[Tensor], share: float, is_even: bool) -> list[Tensor]:
    """Indices of the heads of each layer that stay, by their scores [n] each.

    Layers are compared after each one's scores are brought to length 1 (Michel et al. 2019, §4.1).
    """
    counts = n_kept([len(one) for one in scores], share, is_even)
    if is_even:
        return [most_important(one, count) for one, count in zip(scores, counts, strict=True)]
    told = [torch.nn.functional.normalize(one, dim=0) for one in scores]
    for one in told:
        one[one.argmax()] = torch.inf  # a layer's best head always stays
    best = most_important(torch.cat(told), counts[0])
    starts = torch.tensor([0, *(len(one) for one in told)]).cumsum(0)
    return [best[(best >= low) & (best < high)] - low for low, high in pairwise(starts)]


def keep_heads(stack: Stack, heads: Sequence[Tensor]) -> None:
    """Leave in each layer the `heads` [n] of it."""
    for index, kept in enumerate(heads):
        columns = columns_of(kept, stack.head_size)
        for part in ("query", "key", "value"):
            keep_rows(stack.linears(part)[index], columns)
        keep_columns(stack.linears("output")[index], columns)
        attention = stack.attentions[index]
        counts = {"num_attention_heads": len(kept), "n_heads": len(kept), "all_head_size": len(columns)}
        for name in counts.keys() & vars(attention):
            setattr(attention, name, counts[name])
