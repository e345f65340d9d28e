"""BentoML with its adaptive batching on: `bentoml serve bentoml_server:Classify`, set by the environment."""

from __future__ import annotations

import os

import bentoml
from classifier import load_pipeline

BATCH = int(os.environ.get("RIVAL_BATCH", "32"))


@bentoml.service(workers=int(os.environ.get("RIVAL_WORKERS", "1")), traffic={"timeout": 120})
class Classify:
    def __init__(self) -> None:
        self.classify = load_pipeline()

    @bentoml.api(batchable=True, max_batch_size=BATCH, max_latency_ms=int(os.environ.get("RIVAL_LATENCY_MS", "10000")))
    def predict(self, texts: list[str]) -> list[dict]:
        return self.classify(texts, batch_size=len(texts))
