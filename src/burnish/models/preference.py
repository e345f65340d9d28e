"""Readout of preferences: vectors of texts, of a catalogue's items, and of users by what they liked.

Two towers. An item's vector is made of its text, its categories, its numbers and, where training rows tell of it, a
vector of its own; a user's of the items that the user liked. A user's vector times an item's says how well they fit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn

from burnish.models.pooling import mean_pool

UserTower = Literal["attention", "transformer", "mean"]
NEWEST = 10
"""Items of a history, the newest, whose texts are compared with a candidate's."""


@dataclass(frozen=True)
class Shape:
    """Sizes of a catalogue of N items: C categories in all, at most M of them an item, F numbers an item."""

    items: int
    categories: int
    most_categories: int
    numbers: int


@dataclass(frozen=True)
class Design:
    """What a head decides. `width` D is that of all vectors, `history` the items that are read of a user."""

    width: int
    users: UserTower
    history: int
    dropout: float
    id_dropout: float


class PreferenceReadout(nn.Module):
    """What a batch holds decides what is given.

    attention_mask [B, T] and the trunk's hidden states [B, T, H] → texts' vectors [B, H] of length 1
    items [B] → items' vectors [B, D + 2], the last two numbers being how liked an item is by anyone, and how much the
        likeness of its text to those of a history counts
    history [B, L] (item numbers, newest last, -1 before the first) → users' vectors [B, D + 1], the last number 1, and
        the mean of their newest texts' vectors beside them [B, D + 1 + H]
    history [B, L] and candidates [C] (item numbers) → scores [B, C]; `score` says how
    """

    texts: Tensor
    categories: Tensor
    numbers: Tensor
    likes: Tensor

    def __init__(self, text_width: int, shape: Shape, design: Design) -> None:
        super().__init__()
        self.register_buffer("texts", torch.zeros(shape.items, text_width))
        self.register_buffer("categories", torch.zeros(shape.items, shape.most_categories, dtype=torch.long))
        self.register_buffer("numbers", torch.zeros(shape.items, shape.numbers))
        self.register_buffer("likes", torch.zeros(shape.items))
        self.item = _Items(text_width, shape, design)
        self.user = _Users(design)

    def fill(self, texts: Tensor, categories: Tensor, numbers: Tensor, likes: Tensor) -> None:
        """What is known of the N items: vectors [N, H]; categories [N, M] from 1, 0 where there are fewer; numbers
        [N, F]; likes [N] in the training rows.
        """
        with torch.no_grad():
            for kept, new in zip((self.texts, self.categories, self.numbers, self.likes),
                                 (texts, categories, numbers, likes), strict=True):  # fmt: skip
                kept.copy_(new)

    def forward(self, hidden: Tensor | None, inputs: Mapping[str, Tensor]) -> Tensor:
        if hidden is not None:
            return nn.functional.normalize(mean_pool(hidden, inputs["attention_mask"]).float(), dim=-1)
        if "items" in inputs:
            return self._items(inputs["items"])
        users = self._users(inputs["history"])
        if "candidates" not in inputs:
            return users
        scores: Tensor = score(users, self._items(inputs["candidates"]), self.texts[inputs["candidates"]])
        return scores

    def _items(self, items: Tensor) -> Tensor:
        """[M, D + 2] of item numbers [M]."""
        found: Tensor = self.item(
            items, self.texts[items], self.categories[items], self.numbers[items], self.likes[items]
        )
        return found

    def _users(self, history: Tensor) -> Tensor:
        """[B, D + 1 + H] of item numbers [B, L]."""
        is_item = history >= 0
        items, places = torch.unique(history.clamp(min=0), return_inverse=True)
        vectors = self._items(items)[:, :-2][places]  # [B, L, D]
        users = self.user(vectors, is_item)
        n_newest = is_item[:, -NEWEST:].sum(1, keepdim=True).clamp(min=1)
        texts = (self.texts[history[:, -NEWEST:].clamp(min=0)] * is_item[:, -NEWEST:].unsqueeze(-1)).sum(1) / n_newest
        return torch.cat([users, torch.ones_like(users[:, :1]), texts], dim=1)


def score(users: Any, items: Any, texts: Any) -> Any:
    """[B, C] of users [B, D + 1 + H], items [C, D + 2] and their texts [C, H], as tensors or as numpy arrays.

    The product of what was learned, how liked the item is, and the likeness of texts as it counts for the item.
    """
    n = items.shape[1] - 1
    return users[:, :n] @ items[:, :n].T + (users[:, n:] @ texts.T) * items[:, n]


class _Items(nn.Module):
    """Text, categories, numbers, and an id's vector that training often hides, so that the rest can stand alone."""

    def __init__(self, text_width: int, shape: Shape, design: Design) -> None:
        super().__init__()
        width = design.width
        self.id_dropout = design.id_dropout
        self.dropout = nn.Dropout(design.dropout)
        self.text = nn.Sequential(nn.Linear(text_width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.category = nn.Embedding(shape.categories + 1, width, padding_idx=0) if shape.categories else None
        self.number = nn.Linear(shape.numbers, width, bias=False) if shape.numbers else None
        self.id = nn.Embedding(shape.items, width)
        self.own_bias = nn.Embedding(shape.items, 1)
        self.norm = nn.LayerNorm(width)
        self.bias = nn.Linear(width, 1)
        self.popularity = nn.Parameter(torch.tensor(0.5))
        self.unknown = nn.Parameter(torch.tensor(0.0))
        self.likeness = nn.Parameter(torch.tensor([2.0, 2.0]))
        nn.init.normal_(self.id.weight, std=0.02)
        nn.init.zeros_(self.own_bias.weight)
        nn.init.zeros_(self.bias.weight)

    def forward(self, items: Tensor, texts: Tensor, categories: Tensor, numbers: Tensor, likes: Tensor) -> Tensor:
        content = self.text(texts)
        if self.category is not None:
            n_each = (categories > 0).sum(1, keepdim=True).clamp(min=1)
            content = content + self.category(categories).sum(1) / n_each.sqrt()
        if self.number is not None:
            content = content + self.number(numbers)
        is_known = (likes > 0).float().unsqueeze(1)
        if self.training and self.id_dropout:
            is_known = is_known * (torch.rand_like(is_known) >= self.id_dropout)
        vectors = self.norm(content + is_known * self.id(items))
        own = self.own_bias(items) + self.popularity * torch.log1p(likes).unsqueeze(1)
        bias = self.bias(vectors) + is_known * own + (1 - is_known) * self.unknown
        likeness = self.likeness[1] + is_known * (self.likeness[0] - self.likeness[1])
        return torch.cat([self.dropout(vectors), bias, likeness], dim=1)


class _Users(nn.Module):
    """One vector of those of a history [B, L, D] (newest last); of none, a vector that is learned for nobody in
    particular.

    attention: weights from a small network over each item and its age (Wu et al. 2019, NRMS, EMNLP, §2.2)
    transformer: self-attention with ages, the newest item's state (Kang and McAuley 2018, SASRec, arXiv 1808.09781)
    mean: all alike
    """

    def __init__(self, design: Design) -> None:
        super().__init__()
        width = design.width
        self.nobody = nn.Parameter(torch.zeros(width))
        self.last = nn.Linear(width, width)
        self.kind = design.users
        self.age = nn.Embedding(design.history, width) if design.users != "mean" else None
        if design.users == "attention":
            self.weigh = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))
        if design.users == "transformer":
            layer = nn.TransformerEncoderLayer(
                width, 2, 2 * width, design.dropout, "gelu", batch_first=True, norm_first=True
            )
            self.layers = nn.TransformerEncoder(layer, 1, enable_nested_tensor=False)
        if self.age is not None:
            nn.init.normal_(self.age.weight, std=0.02)

    def forward(self, vectors: Tensor, is_item: Tensor) -> Tensor:
        n_each = is_item.sum(1, keepdim=True)
        if self.age is not None:
            aged = vectors + self.age(torch.arange(vectors.shape[1] - 1, -1, -1, device=vectors.device))
        if self.kind == "mean":
            pooled = (vectors * is_item.unsqueeze(-1)).sum(1) / n_each.clamp(min=1)
        elif self.kind == "attention":
            weights = self.weigh(aged).squeeze(-1).masked_fill(~is_item, -1e9).softmax(1)
            pooled = (weights.unsqueeze(-1) * vectors).sum(1)
        else:
            is_item = is_item | (n_each == 0)  # attention to nothing at all would not be a number
            pooled = self.layers(aged, src_key_padding_mask=~is_item)[:, -1]
        users = torch.where(n_each > 0, self.last(pooled), self.nobody)
        # brought to a length of about 1, else scores start so far apart that training first has to forget them
        scaled: Tensor = users / users.shape[1] ** 0.5
        return scaled
