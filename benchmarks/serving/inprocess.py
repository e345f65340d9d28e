"""What a bundle answers without HTTP, and how fast: `inprocess.py BUNDLE TEXTS OUT SECONDS`, in a process of its own.

Writes the answers to OUT as [label, confidence] and prints the texts a second, best of the rounds that fit, and the CPU
of a text.
"""

from __future__ import annotations

import json
import random
import sys
import time
from pathlib import Path


def main(bundle: str, texts: str, out: str, seconds: str) -> None:
    from burnish.bundle.predictor import load_predictor

    predictor, some = load_predictor(bundle), read_texts(Path(texts))
    found = list(predictor.predict(some))
    Path(out).write_text(json.dumps([[one.label, one.confidence] for one in found]))
    rates, costs, until = [], [], time.monotonic() + float(seconds)
    while time.monotonic() < until:
        started, cpu = time.perf_counter(), time.process_time()
        n_answers = sum(1 for _ in predictor.predict(some))
        rates.append(n_answers / (time.perf_counter() - started))
        costs.append(1000 * (time.process_time() - cpu) / n_answers)
    print(json.dumps({"texts_per_s": max(rates, default=0.0), "cpu_ms": min(costs, default=0.0)}))


def read_texts(file: Path) -> list[str]:
    """In an order that is always the same, and not the file's: there, neighbours often have the same label."""
    texts = [line for line in file.read_text("utf-8").split("\n") if line.strip()]
    random.Random(7).shuffle(texts)
    return texts


if __name__ == "__main__":
    main(*sys.argv[1:])
