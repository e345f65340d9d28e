"""A linear head on a frozen base: the first fit reads 10,000 texts, the second one finds what the base made of them.

    BURNISH_DATA=/path/to/folder python benchmarks/linear_head.py

CLINC150 (150 intents), minilm, head `mean`. Each fit is the whole of `burnish.fit`: data, duplicates, training, judging
on a test share, report, bundle. Each has another seed and rate, so other splits and another head. `--fresh` gives
each a process of its own, so that importing libraries counts too; `--profile` tells where the second one's time goes.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path

N_TEXTS = 10_000
FITS = {
    "first fit": ("train.seed=7", "train.learning_rate=0.001"),
    "second fit": ("train.seed=8", "train.learning_rate=0.0005"),
    "third fit": ("train.seed=9", "train.learning_rate=0.0007"),
    "fourth fit": ("train.seed=10", "train.learning_rate=0.002"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--fresh", action="store_true", help="a process for each fit")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--only", choices=FITS, help="run one in this process (used by the script)")
    asked = parser.parse_args()
    os.environ |= {"BURNISH_THREADS": str(asked.threads), "OMP_NUM_THREADS": str(asked.threads)}
    if asked.only:
        print(json.dumps(fit(asked.only, asked.profile, is_alone=True)))
        return
    with tempfile.TemporaryDirectory() as cache:
        os.environ["BURNISH_CACHE"] = cache
        print("| fit | seconds | CPU seconds | of which training steps, s | accuracy |\n|---|---|---|---|---|")
        for name in FITS:
            found = in_new_process(name) if asked.fresh else fit(name, asked.profile and name == "second fit")
            numbers = " | ".join(f"{found[key]:.1f}" for key in ("seconds", "cpu_s", "training"))
            print(f"| {name} | {numbers} | {found['accuracy']:.4f} |", flush=True)


def in_new_process(name: str) -> dict:
    started = time.perf_counter()
    done = subprocess.run([sys.executable, __file__, "--only", name], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
    return json.loads(done.stdout.splitlines()[-1]) | {"seconds": time.perf_counter() - started}


def fit(name: str, is_profiled: bool, is_alone: bool = False) -> dict:
    """Seconds of one whole fit, and its accuracy on the test share. Alone in its process, all of that counts."""
    import torch

    import burnish

    torch.set_num_threads(int(os.environ["BURNISH_THREADS"]))
    data = Path(os.environ.get("BURNISH_DATA", "data")) / "clinc150" / "data_full.json"
    rows = json.loads(data.read_text("utf-8"))["train"]
    rows = [{"text": text, "label": label} for text, label in rows[:: max(1, len(rows) // N_TEXTS)][:N_TEXTS]]
    recipe = {
        "task": {"name": "classification", "head": "mean"},
        "base": "minilm",
        "data": {"train": rows, "dev": "10%", "test": "20%"},
        "train": {"freeze": {"all_but_head": True}},
    }
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory() as folder:
        started, cpu_started = time.perf_counter(), 0.0 if is_alone else time.process_time()
        if is_profiled:
            profile.enable()
        made = burnish.fit(recipe, FITS[name], out=Path(folder) / "bundle")
        profile.disable()
        seconds, cpu_s = time.perf_counter() - started, time.process_time() - cpu_started
        steps = (made.bundle / "training" / "steps.jsonl").read_text("utf-8").splitlines()
    if is_profiled:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("cumulative").print_stats(70)
    training = sum(json.loads(line).get("seconds", 0.0) for line in steps)
    return {"seconds": seconds, "cpu_s": cpu_s, "training": training, "accuracy": made.report.scores["accuracy"]}


if __name__ == "__main__":
    main()
