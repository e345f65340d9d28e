"""A tiny BERT with dropout and a tiny job for it: three batches an epoch, of 4, 3 and 5 rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from burnish.core.seeds import generator
from burnish.recipe.schema import TrainSection
from burnish.tasks._contract import Batch, Collated
from burnish.training.hardware import Hardware
from burnish.training.job import TrainingJob
from burnish.training.loop import Plan
from burnish.training.tensors import weights_of

N_WORDS = 40
N_ROWS = (4, 3, 5)
CPU = Hardware(torch.device("cpu"), "fp32")


class TinyBert(nn.Module):
    """Two layers of BERT, hidden size 32, and a head that says which of three classes a text is."""

    def __init__(self, dropout: float = 0.1, seed: int = 0) -> None:
        from transformers import BertConfig, BertModel

        super().__init__()
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            config = BertConfig(
                vocab_size=N_WORDS,
                hidden_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                intermediate_size=64,
                max_position_embeddings=16,
                hidden_dropout_prob=dropout,
                attention_probs_dropout_prob=dropout,
            )
            self.encoder = BertModel(config, add_pooling_layer=False)
            self.classifier = nn.Linear(32, 3)

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        return self.classifier(hidden[:, 0])


class TinyBatches:
    """Rows that are a pure function of (epoch, position). The label is the first word, modulo 3: it can be learnt."""

    def __init__(self, n_rows: tuple[int, ...] = N_ROWS) -> None:
        self.n_rows = n_rows

    def n_batches(self, epoch: int) -> int:
        return len(self.n_rows)

    def read(self, epoch: int, position: int) -> Collated:
        n_rows = self.n_rows[position]
        ids = generator(3, "rows", epoch, position).integers(1, N_WORDS, (n_rows, 6))
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        return Collated(inputs, {"labels": ids[:, 0] % 3}, n_rows=n_rows, n_tokens=6 * n_rows)


def cross_entropy(logits: Tensor, batch: Batch) -> Tensor:
    return nn.functional.cross_entropy(logits, batch.targets["labels"])


def tiny_plan(network: nn.Module, **changes: Any) -> Plan:
    """Plain gradient descent at a constant rate of 0.1, so that a step is the gradient itself."""
    group = {"params": list(network.parameters()), "lr": 0.1, "peak_rate": 0.1}
    fields: dict[str, Any] = {
        "network": network,
        "batches": TinyBatches(),
        "loss": cross_entropy,
        "optimizer": torch.optim.SGD([group]),
        "schedule": lambda progress: 1.0,
        "hardware": CPU,
        "epochs": 2,
        "accumulate": 1,
        "clip_norm": 0.0,
        "seed": 7,
    }
    return Plan(**{**fields, **changes})


def tiny_job(work: Path, *, settings: Mapping[str, Any] | None = None, **changes: Any) -> TrainingJob:
    """Two epochs of AdamW, judged by a score that gets better with every epoch unless `evaluate` is given."""
    network = changes.pop("network", None) or TinyBert()
    calls: list[int] = []

    def evaluate() -> dict[str, float]:
        calls.append(1)
        return {"accuracy": float(weights_of(network)["classifier.bias"].sum())}

    fields: dict[str, Any] = {
        "network": network,
        "batches": TinyBatches(),
        "loss": cross_entropy,
        "evaluate": evaluate,
        "metric": "accuracy",
        "settings": TrainSection(**{"epochs": 2, "precision": "fp32", "observers": [], **(settings or {})}),
        "work": work,
        "key": "recipe-and-data",
        "head_prefixes": ("classifier",),
    }
    return TrainingJob(**{**fields, **changes})


def fingerprint(tensors: Mapping[str, Tensor]) -> str:
    """SHA-256 over names and bytes."""
    digest = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        digest.update(name.encode() + tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
