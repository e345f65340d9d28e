"""Two tasks on one trunk against a model for each: accuracy, and what one pass for both costs.

    BURNISH_DATA=… python benchmarks/multitask.py --seeds 1 2 3 --threads 2 --judge test

BURNISH_DATA is the folder that holds fin_phrasebank and bank_faq, as recipes/finance.yaml names them. Each seed cuts
the rows anew, alike for one task and for two, and all runs have the settings of recipes/finance.yaml, which were chosen
on dev (`--judge dev` leaves test untouched). The pass is timed on the questions and sentences themselves: rounds of
every model in turn, in batches of the same size, from text to answer.
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
from collections.abc import Iterator
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RECIPE = ROOT / "recipes" / "finance.yaml"
TOGETHER = "both"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="one cut of the rows each")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--judge", choices=["dev", "test"], default="dev")
    parser.add_argument("--rounds", type=int, default=7, help="of timing every model in turn; 0 times nothing")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings to change in all recipes")
    asked = parser.parse_args()
    os.environ.update(dict.fromkeys(("BURNISH_THREADS", "OMP_NUM_THREADS"), str(asked.threads)))
    with tempfile.TemporaryDirectory() as folder:
        scores: dict[str, list[dict[str, float]]] = {}
        for seed in asked.seeds:
            for name, recipe in recipes(asked.judge):
                out = Path(folder) / f"{name}-{seed}"
                scores.setdefault(name, []).append(fit(recipe, [*asked.set, f"train.seed={seed}"], out))
                print(json.dumps({"model": name, "seed": seed, **scores[name][-1]}), flush=True)
        tell_scores(scores, asked.judge)
        if asked.rounds:
            tell_rates({name: Path(folder) / f"{name}-{asked.seeds[0]}" for name in scores}, asked.rounds)


def recipes(judge: str) -> Iterator[tuple[str, dict]]:
    """Each task alone, then both."""
    both = yaml.safe_load(RECIPE.read_text("utf-8"))
    for member in both["task"]["tasks"].values():
        for side in ("train", "test"):
            value = member["data"].get(side)
            if isinstance(value, str):
                member["data"][side] = value.replace("../data", str(ROOT.parent / "data"))
        if judge == "dev":
            del member["data"]["test"]
    quick = {"judge": {"n_bootstrap": 0, "formats": ["json"]}}
    for name, member in both["task"]["tasks"].items():
        yield name, {**both, **quick, "task": member["task"], "data": member["data"]}
    yield TOGETHER, {**both, **quick}


def fit(recipe: dict, overrides: list[str], out: Path) -> dict[str, float]:
    started = time.monotonic()
    file = out.with_suffix(".json")
    file.write_text(json.dumps(recipe))
    command = [sys.executable, "-m", "burnish", "fit", str(file), *overrides, "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    found = json.loads((out / "report" / "report.json").read_text())["scores"]
    kept = {name: value for name, value in found.items() if name.rpartition("/")[2] == "accuracy"}
    return {**kept, "minutes": round((time.monotonic() - started) / 60, 2)}


def tell_scores(scores: dict[str, list[dict[str, float]]], judge: str) -> None:
    print(f"\n| task | seeds | alone, accuracy on {judge} | on one trunk | difference |\n|---|---|---|---|---|")
    for name in [one for one in scores if one != TOGETHER]:
        alone = [one["accuracy"] for one in scores[name]]
        shared = [one[f"{name}/accuracy"] for one in scores[TOGETHER]]
        gap = statistics.mean(shared) - statistics.mean(alone)
        means = f"{statistics.mean(alone):.2%} | {statistics.mean(shared):.2%}"
        print(f"| {name} | {len(alone)} | {means} | {100 * gap:+.2f} points |")


def tell_rates(bundles: dict[str, Path], rounds: int) -> None:
    """Texts a second of every model, and the time of one pass for both against that of each alone."""
    import burnish

    models = {name: burnish.load(folder) for name, folder in bundles.items()}
    texts = list(all_texts())
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for number in range(rounds + 1):
        for name, model in models.items():
            started = time.perf_counter()
            n_answers = sum(1 for _ in model.predict(texts))
            if number:  # the first round warms up
                seconds[name].append(time.perf_counter() - started)
            assert n_answers == len(texts)
    alone = [name for name in models if name != TOGETHER]
    print(f"\n{len(texts):,} texts, {rounds} rounds of all in turn")
    print("| model | texts/s, median round | time of both ÷ its time, median of rounds |\n|---|---|---|")
    for name in models:
        ratios = [both / own for both, own in zip(seconds[TOGETHER], seconds[name], strict=True)]
        print(f"| {name} | {len(texts) / statistics.median(seconds[name]):,.0f} | {statistics.median(ratios):.3f} |")
    one = [min(seconds[name][n] for name in alone) for n in range(rounds)]
    ratio = statistics.median(both / own for both, own in zip(seconds[TOGETHER], one, strict=True))
    print(f"\nOne pass for {len(alone)} tasks costs {ratio:.3f} of the quickest single one (median of rounds).")


def all_texts() -> Iterator[str]:
    """Every sentence and question of the two data sets, by turns of the files."""
    from burnish.data.opening import open_sources
    from burnish.recipe.load import load

    loaded = load(RECIPE)
    for name, column in (("sentiment", "text"), ("topic", "Question")):
        for source in open_sources(loaded.located("task", "tasks", name, "data", "train")):
            yield from (row.values[column] for row in source.rows())


if __name__ == "__main__":
    main()
