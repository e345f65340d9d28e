"""Few rows, or none: accuracy on CLINC150 from words alone, and from 5 and 10 rows an intent, drawn five times.

    BURNISH_DATA=… python benchmarks/few_shot.py --rows 0 5 10 --seeds 1 2 3 4 5 --threads 2 --judge test

BURNISH_DATA is the folder that holds clinc150/data_full.json. 0 rows is zero-shot: the intents' names, such as
`oil_change_how`, are all that is told. Names also count as one more row where there are rows. Settings were chosen on
`val`. Dev is 300 other rows of train, and only calibrates, which moves no answer (`keep: last`).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data")) / "clinc150" / "data_full.json"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[0, 5, 10], help="training rows of each intent")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5], help="one draw of rows each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--judge", choices=["val", "test"], default="val")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings to change in the recipe")
    asked = parser.parse_args()
    found: dict[int, list[dict[str, float]]] = {}
    for seed in asked.seeds:  # every size once before any is drawn again: a run cut short still shows all sizes
        for rows in [n for n in asked.rows if n or seed == asked.seeds[0]]:
            found.setdefault(rows, []).append(fit(recipe(rows, seed, asked.judge), asked.set, asked.threads))
            print(json.dumps({"rows": rows, "seed": seed, **found[rows][-1]}), flush=True)
    print(f"\n| rows an intent | draws | accuracy on {asked.judge}, mean | lowest – highest | minutes each |")
    print("|---|---|---|---|---|")
    for rows, each in sorted(found.items()):
        scores = [one["accuracy"] for one in each]
        minutes = statistics.mean(one["minutes"] for one in each)
        spread = f"{min(scores):.2%} – {max(scores):.2%}"
        print(f"| {rows} | {len(each)} | {statistics.mean(scores):.2%} | {spread} | {minutes:.1f} |")


def recipe(rows: int, seed: int, judge: str) -> dict:
    names = sorted({label for _, label in json.loads(FILE.read_text("utf-8"))["train"]})
    data = {} if rows == 0 else {"train": side("train"), "dev": "2%", "rows_per_class": rows}
    return {
        "task": {"name": "classification", "labels": names},
        "data": {**data, "test": side(judge), "duplicates": "off"},
        "train": {
            "epochs": 5,
            "learning_rate": 1e-4,
            "tokens_per_batch": 352,
            "freeze": {"embeddings": True},
            "keep": "last",
            "seed": seed,
        },
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }


def side(key: str) -> dict:
    return {"name": "jsonl", "path": str(FILE), "key": key, "names": ["text", "label"]}


def fit(recipe: dict, overrides: list[str], threads: int) -> dict[str, float]:
    environment = {**os.environ, "BURNISH_THREADS": str(threads), "OMP_NUM_THREADS": str(threads)}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        file, out = Path(folder) / "recipe.json", Path(folder) / "bundle"
        file.write_text(json.dumps(recipe))
        command = [sys.executable, "-m", "burnish", "fit", str(file), *overrides, "--out", str(out)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(done.stderr[-3000:])
        report = json.loads((out / "report" / "report.json").read_text())
    return {"accuracy": report["scores"]["accuracy"], "minutes": (time.monotonic() - started) / 60}


if __name__ == "__main__":
    main()
