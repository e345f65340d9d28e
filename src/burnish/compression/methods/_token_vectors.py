"""A vector for each token of a vocabulary: as the model reads it alone, led to few dimensions, weighted."""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from burnish.compression.subject import Subject
from burnish.core.events import Listener, Progress
from burnish.models.drawn import mark_given
from burnish.models.network import Network
from burnish.models.pooling import PooledReadout, mean_pool
from burnish.models.tokenizer import TextTokenizer
from burnish.tasks._contract import Feature

TOKENS_AT_ONCE = 1024
DROPOUT = 0.1  # as heads that pool have it


class StaticTrunk(nn.Module):
    """input_ids [B, T] → last_hidden_state [B, T, D]: each token's own vector, whatever stands around it."""

    def __init__(self, vectors: Tensor, is_frozen: bool) -> None:
        super().__init__()
        self.vectors = nn.Embedding(vectors.shape[0], vectors.shape[1], _weight=vectors)
        self.vectors.weight.requires_grad_(not is_frozen)

    def forward(self, input_ids: Tensor) -> dict[str, Tensor]:
        return {"last_hidden_state": self.vectors(input_ids)}


def refuse_static(subject: Subject) -> str | None:
    """Why token vectors cannot stand for a subject's network."""
    head = subject.task.head_part
    if subject.runtime is not None:
        return f"the model was already made into files for {subject.runtime.part_name}; weights change before that."
    if head.gives not in ("rows", "cosines"):
        return f"token vectors give one row of logits a text, and the head '{head.part_name}' something else."
    if not isinstance(subject.reader, TextTokenizer) or isinstance(subject.network.trunk, StaticTrunk):
        return "the network reads no text, or consists of token vectors already."
    return None


def token_vectors(subject: Subject, listen: Listener) -> Tensor:
    """[V, H] mean last hidden state of a text that is this one token, for each row of the embeddings.

    The special tokens and the prompt that stand around texts are read with it.
    """
    reader = subject.reader
    assert isinstance(reader, TextTokenizer), "refused before"
    body: Any = copy.deepcopy(subject.network).eval().body
    n_tokens = len(body.get_input_embeddings().weight)
    device = next(body.parameters()).device
    found = []
    with torch.inference_mode():
        for start in range(0, n_tokens, TOKENS_AT_ONCE):
            ids = torch.arange(start, min(start + TOKENS_AT_ONCE, n_tokens))
            around = [torch.tensor(side).repeat(len(ids), 1) for side in (reader.prefix, reader.suffix)]
            texts = torch.cat([around[0], ids[:, None], around[1]], dim=1).long().to(device)
            states = body(input_ids=texts, attention_mask=torch.ones_like(texts)).last_hidden_state
            found.append(states.mean(1).float().cpu())
            listen(Progress("static", start + len(ids), n_tokens, "tokens"))
    return torch.cat(found).clone()


def led_to(vectors: Tensor, n_dimensions: int | None) -> Tensor:
    """[V, D] the vectors' coordinates along their D main directions, from their mean (PCA); all where D is None."""
    centred = (vectors - vectors.mean(0)).double()
    if n_dimensions is None or n_dimensions >= vectors.shape[1]:
        return centred.float()
    _, directions = torch.linalg.eigh(centred.T @ centred)  # of growing variance
    led: Tensor = centred @ directions[:, -n_dimensions:].flip(-1)
    return led.float()


def weights(weighting: str, n_tokens: int, features: Iterable[Feature], smoothing: float) -> Tensor:
    """[V] a / (a + frequency of the token)."""
    if weighting == "none":
        return torch.ones(n_tokens)
    counts = 1 / np.arange(1, n_tokens + 1) if weighting == "zipf" else np.zeros(n_tokens)
    if weighting == "counts":
        for feature in features:
            np.add.at(counts, feature["input_ids"], 1)
    shares: Tensor = torch.from_numpy(counts / max(counts.sum(), 1e-9)).float()
    factors: Tensor = smoothing / (smoothing + shares)
    return factors


def static_network(vectors: Tensor, n_labels: int, learns_vectors: bool) -> Network:
    """Token vectors, their mean, a new linear layer, as a network that is called like any other."""
    trunk = StaticTrunk(vectors, is_frozen=not learns_vectors)
    network = Network(trunk, PooledReadout(mean_pool, vectors.shape[1], n_labels, DROPOUT))
    mark_given(network)
    return network
