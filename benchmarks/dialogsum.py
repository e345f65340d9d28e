"""Summaries of dialogues by a causal model, fine-tuned and as it is: ROUGE on the same rows with the same decoding.

    BURNISH_DATA=… BURNISH_CAUSAL_BASE=… python benchmarks/dialogsum.py --judge test --rows 200 --threads 2

BURNISH_DATA is the folder that holds dialogsum/; BURNISH_CAUSAL_BASE a folder with SmolLM2-135M-Instruct. Training is
recipes/dialogsum.yaml. With `--judge dev` it learns from the first 400 rows of dev only and the last 100 are judged:
settings were chosen so. A test row has three summaries, of which the best counts.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data")) / "dialogsum"
SHOWN = ("rouge_1", "rouge_2", "rouge_l", "bleu", "chrf", "perplexity")
N_LEARNED = 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", choices=["dev", "test"], default="dev")
    parser.add_argument("--rows", type=int, default=200, help="the first so many rows are judged")
    parser.add_argument("--only", choices=["untuned", "tuned"], nargs="+", default=["untuned", "tuned"])
    parser.add_argument("--bundle", type=Path, help="one that the recipe made already: it is judged as the tuned model")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings to change in the recipe")
    asked = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = os.environ["BURNISH_THREADS"] = str(asked.threads)
    print("| model | rows | ROUGE-1 | ROUGE-2 | ROUGE-L (95 % interval) | BLEU | chrF | perplexity | fit | judge |")
    print("|---|---|---|---|---|---|---|---|---|---|", flush=True)
    for name in asked.only:
        print(line(name, asked), flush=True)


def line(name: str, asked: argparse.Namespace) -> str:
    import burnish  # after the number of threads is set

    rows = judged_rows(asked.judge)[: asked.rows]
    changes = [*asked.set, *(["train.epochs=0"] if name == "untuned" else [])]
    with tempfile.TemporaryDirectory() as folder:
        if asked.judge == "dev":
            learned = Path(folder) / "learned.jsonl"
            learned.write_text("".join(json.dumps(row) + "\n" for row in read("dialogsum.dev.jsonl")[:N_LEARNED]))
            changes.append(f"data.train={learned}")
        started = time.monotonic()
        bundle = asked.bundle if name == "tuned" else None
        if bundle is None:
            recipe = ROOT / "recipes" / "dialogsum.yaml"
            bundle = burnish.fit(recipe, changes, out=Path(folder) / "bundle", listen=tell).bundle
        trained = time.monotonic()
        report = burnish.judge(bundle, rows, listen=tell).report
        minutes = [(trained - started) / 60, (time.monotonic() - trained) / 60]
    found = [report.scores[score] for score in SHOWN]
    low, high = report.intervals["rouge_l"]
    words = [f"{100 * value:.2f}" for value in found[:5]]
    words[2] = f"**{words[2]}** ({100 * low:.1f} – {100 * high:.1f})"
    for mistake in report.hardest_errors[:3]:
        print(f"<!-- gold: {mistake.gold[0]} · written: {mistake.predicted[0]} -->")
    return (
        f"| {name} | {len(rows)} | {' | '.join(words)} | {found[5]:.2f} | {minutes[0]:.1f} min | {minutes[1]:.1f} min |"
    )


def judged_rows(side: str) -> list[dict]:
    if side == "dev":
        return read("dialogsum.dev.jsonl")[N_LEARNED:]
    rows = read("dialogsum.test.jsonl")
    return [{**row, "summary": [row[f"summary{number}"] for number in (1, 2, 3)]} for row in rows]


def read(name: str) -> list[dict]:
    return [json.loads(line) for line in (DATA / name).read_text("utf-8").splitlines()]


def tell(event: object) -> None:
    if type(event).__name__ == "Message":
        print(f"<!-- {event.text} -->", flush=True)  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()
