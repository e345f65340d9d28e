"""Spans from few rows, or none: entity F1 on CoNLL-2003 from words alone, and from 5, 10 and 50 rows a type.

    BURNISH_DATA=… python benchmarks/few_spans.py --rows 0 5 10 50 --seeds 1 2 3 --threads 2

BURNISH_DATA is the folder that holds conll2003/eng.train, eng.testa and eng.testb. 0 rows is zero-shot: what is told is
in `TOLD`. Each draw of rows is learned twice, by `token_cosine` and by `token`, the architecture's own head, with the
same settings but for the scale. Settings were chosen on the first 500 sentences of eng.testa. `--first N` judges the
first N sentences only, which is quicker.
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
FOLDER = Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data")) / "conll2003"
TOLD = {
    "LOC": "name of a country, city or other place",
    "MISC": "nationality, event, or other proper name",
    "ORG": "name of a company, team, agency or other organisation",
    "PER": "name of a person",
}
HEADS = ("token_cosine", "token")
STEPS = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[0, 5, 10, 50], help="training rows of each type")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one draw of rows each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--judge", choices=["testa", "testb"], default="testa")
    parser.add_argument("--first", type=int, default=None, help="judge the first so many sentences")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings to change in the recipe")
    asked = parser.parse_args()
    found: dict[tuple[int, str], list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        judged = first_sentences(FOLDER / f"eng.{asked.judge}", asked.first, Path(folder))
        for seed in asked.seeds:
            for rows in [n for n in asked.rows if n or seed == asked.seeds[0]]:
                for head in HEADS if rows else ("word_cosine",):
                    one = fit(recipe(rows, seed, head, judged), asked.set, asked.threads)
                    found.setdefault((rows, head), []).append(one)
                    print(json.dumps({"rows": rows, "head": head, "seed": seed, **one}), flush=True)
    print(f"\n| rows a type | head | draws | entity F1 on {asked.judge}, mean | lowest – highest | minutes each |")
    print("|---|---|---|---|---|---|")
    for (rows, head), each in sorted(found.items()):
        scores = [one["entity_f1"] for one in each]
        minutes = statistics.mean(one["minutes"] for one in each)
        spread = f"{min(scores):.1%} – {max(scores):.1%}"
        print(f"| {rows} | {head} | {len(each)} | {statistics.mean(scores):.1%} | {spread} | {minutes:.1f} |")


def first_sentences(file: Path, n: int | None, folder: Path) -> Path:
    if n is None:
        return file
    cut = folder / file.name
    cut.write_text("\n\n".join(file.read_text("utf-8").split("\n\n")[:n]) + "\n", "utf-8")
    return cut


def recipe(rows: int, seed: int, head: str, judged: Path) -> dict:
    train = {"name": "conll", "path": str(FOLDER / "eng.train")}
    data = {} if rows == 0 else {"train": train, "dev": "1%", "rows_per_class": rows}
    return {
        "task": {"name": "tokens", "head": head, **({} if rows else {"labels": TOLD})},
        "data": {**data, "test": {"name": "conll", "path": str(judged)}, "duplicates": "off"},
        "train": {
            "epochs": max(10, min(40, STEPS // max(rows, 1))),
            "learning_rate": 3e-4,
            "tokens_per_batch": 96,
            "freeze": {"embeddings": True},
            "keep": "last",
            "seed": seed,
        },
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }


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
    return {"entity_f1": report["scores"]["entity_f1"], "minutes": (time.monotonic() - started) / 60}


if __name__ == "__main__":
    main()
