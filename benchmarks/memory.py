"""Does memory grow with rows? The same fit on the first 20,000 rows of a file and on all 2 million.

    python benchmarks/memory.py

The file is made here: short texts of random words, three labels. The base is a BERT of 2 layers × 32, so that the
rows and not the model decide; training stops after 200 steps, when reading, duplicates, split, tokenizing and
batching have seen every row. Each fit runs in a process of its own; the number is its peak resident memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_STEPS = 200
FEW, HALF, MANY = 20_000, 1_000_000, 2_000_000


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        base = make_base(Path(folder) / "base")
        files = {n: make_rows(Path(folder) / f"{n}.csv", n) for n in (FEW, HALF, MANY)}
        found = {n: run_one("--fit", base, files[n], folder) for n in (FEW, MANY)}
        bundle = Path(folder) / "bundle"
        run_one("--train", base, files[FEW], str(bundle))
        answered = {n: run_one("--predict", bundle, files[n], f"{folder}/{n}.jsonl") for n in (FEW, HALF)}
    print("\n| work | rows | peak resident memory | seconds |")
    print("|---|---|---|---|")
    for n, one in found.items():
        print(f"| fit, to the first step and 200 more | {n:,} | {one['peak_mb']:.0f} MB | {one['seconds']:.0f} |")
    for n, one in answered.items():
        print(f"| predict, csv to jsonl | {n:,} | {one['peak_mb']:.0f} MB | {one['seconds']:.0f} |")
    print(f"\ngrowth of fit: {found[MANY]['peak_mb'] - found[FEW]['peak_mb']:.0f} MB (at most 300 wanted)")


def make_rows(path: Path, n: int) -> Path:
    draw = random.Random(7)
    words = ["".join(draw.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(draw.randint(2, 9))) for _ in range(5000)]
    with path.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        for number in range(n):
            file.write(f"{' '.join(draw.choices(words, k=draw.randint(3, 12)))},{'abc'[number % 3]}\n")
    return path


def make_base(folder: Path) -> Path:
    """The shape of a real base with the tokenizer of minilm, at a thousandth of the cost."""
    from transformers import BertConfig, BertModel

    from burnish.models.locate import locate

    config = BertConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=2, intermediate_size=64)
    BertModel(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(locate("minilm").folder / name, folder / name)
    return folder


def run_one(what: str, *arguments: object) -> dict:
    """This script in a process of its own; what it prints last is JSON."""
    words = [sys.executable, __file__, what, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "TOKENIZERS_PARALLELISM": "false"})
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return json.loads(done.stdout.strip().splitlines()[-1])


def fit(base: str, rows: str, folder: str) -> None:
    import burnish
    from burnish.core.events import Progress

    started, trained = time.perf_counter(), []

    def stop(event: object) -> None:
        if isinstance(event, Progress) and event.stage == "train":
            trained.append(time.perf_counter())
            if event.done >= N_STEPS:
                raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        burnish.fit({"task": "classification", "base": base, "data": {"train": rows}}, out=f"{folder}/b", listen=stop)
    tell(trained[-1] - started)


def train(base: str, rows: str, out: str) -> None:
    """A bundle to predict with; how good it is plays no part."""
    import burnish

    train = {"epochs": 1, "learning_rate": 0.01}
    burnish.fit(
        {"task": "multilabel", "base": base, "data": {"train": rows, "columns": {"labels": "label"}}, "train": train},
        out=out,
    )
    tell(0)


def predict(bundle: str, rows: str, out: str) -> None:
    from burnish.flows.predict import predict_file

    started = time.perf_counter()
    predict_file(bundle, rows, out)
    tell(time.perf_counter() - started)


def tell(seconds: float) -> None:
    """Peak memory of this process, and the seconds, for the process that started it."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    print(json.dumps({"peak_mb": int(line.split()[1]) / 1024, "seconds": seconds}))


if __name__ == "__main__":
    jobs = {"--fit": fit, "--train": train, "--predict": predict}
    jobs[sys.argv[1]](*sys.argv[2:]) if len(sys.argv) > 1 else main()
