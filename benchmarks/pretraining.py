"""Continued pretraining: minilm goes on with speeches of the Federal Reserve, then tells the tone of financial news.

    BURNISH_DATA=… python benchmarks/pretraining.py --threads 2 --work /tmp/pretraining

BURNISH_DATA is the folder that holds fomc/speeches.txt.gz (400 speeches, a sentence a line) and
fin_phrasebank/Sentences_AllAgree.txt (2,264 sentences, three tones). The first nine tenths of the speeches' lines are
learnt from, the last tenth, which no training sees, is judged. minilm was published without a head for masked words, so
a new one is learnt first:

    head    the head alone, on the base as it is: what the base knew before
    all     then head and base together, on the same text once more

because a head that knows nothing yet would pull the base about (Kumar et al. 2022, arXiv 2202.10054). Masks of judged
text are the same. Then three tones are told by 5-fold
cross-validation, started from minilm and from the base that `all` made: same folds, seeds and settings, the last
epoch is kept, so that nothing is chosen.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data"))
SPEECHES = DATA / "fomc" / "speeches.txt.gz"
TONES = DATA / "fin_phrasebank" / "Sentences_AllAgree.txt"
LINES_EACH = 123  # the file does not say where a speech ends: 49,324 lines ÷ 400


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--share", type=float, default=1.0, help="share of the learnt speeches, spread evenly")
    parser.add_argument("--judged", type=int, default=40, help="how many of the 40 held-out speeches are judged")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--rate", type=float, default=1e-5, help="learning rate of head and base together")
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of the pretraining")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds are judged")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--tune-epochs", type=int, default=3)
    parser.add_argument("--work", type=Path, help="keep bases and scores here, and go on with those that are there")
    asked = parser.parse_args()
    os.environ.update({"BURNISH_THREADS": str(asked.threads), "OMP_NUM_THREADS": str(asked.threads)})
    with tempfile.TemporaryDirectory() as scratch:
        work = asked.work or Path(scratch)
        work.mkdir(parents=True, exist_ok=True)
        text = speeches(work, asked.share, asked.judged)
        pretrain(asked, text, work / "head", "minilm")
        pretrain(asked, text, work / "all", str(work / "head"))
        compare(asked, work)


def speeches(folder: Path, share: float, n_judged: int) -> tuple[Path, Path]:
    """The lines that are learnt from, and those that are judged, as two files of documents."""
    with gzip.open(SPEECHES, "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()
    cut = len(lines) * 9 // 10
    learnt, judged = documents(lines[:cut]), documents(lines[cut:])
    paths = folder / "learn.txt", folder / "judge.txt"
    for path, each in zip(paths, (spread(learnt, round(share * len(learnt))), spread(judged, n_judged)), strict=True):
        path.write_text("\n\n".join("\n".join(one) for one in each), "utf-8")
    return paths


def documents(lines: list[str]) -> list[list[str]]:
    return [lines[at : at + LINES_EACH] for at in range(0, len(lines), LINES_EACH)]


def spread(items: list[list[str]], n: int) -> list[list[str]]:
    """`n` of the items, evenly spread over all of them."""
    return [items[at * len(items) // n] for at in range(min(n, len(items)))]


def pretrain(asked: argparse.Namespace, text: tuple[Path, Path], out: Path, base: str) -> None:
    import burnish

    if not out.exists():
        settings = [
            f"train.epochs={asked.epochs}",
            f"train.freeze.all_but_head={str(base == 'minilm').lower()}",
            f"train.learning_rate={2e-4 if base == 'minilm' else asked.rate}",
            "data.max_length=128",
            "judge.n_bootstrap=200",
            "judge.start=false",
            *asked.set,
        ]
        test = {"name": "text", "path": str(text[1])}
        resume = (out.parent / f".{out.name}.work").exists()
        burnish.pretrain(
            None, settings, base=base, text=str(text[0]), dev="5%", test=test, out=out, resume=resume, listen=tell
        )
    report = json.loads((out / "report" / "report.json").read_text())
    card = json.loads((out / "data_card.json").read_text())
    told = {
        "trained": out.name,
        "documents": card["splits"]["train"]["n_rows"],
        "perplexity of held-out speeches": round(report["scores"]["perplexity"], 2),
        "95 % interval": [round(edge, 2) for edge in report["intervals"]["perplexity"]],
        "seconds of the last start": report["about"]["seconds"],
    }
    print(json.dumps(told), flush=True)


def tell(event: object) -> None:
    if text := getattr(event, "text", None):
        print(text, flush=True)


def compare(asked: argparse.Namespace, work: Path) -> None:
    """Accuracy from both bases, fold after fold; what an earlier start found is kept."""
    kept = work / "scores.jsonl"
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    folds = stratified(read_tones())
    for seed in asked.seeds:
        for number in range(asked.folds):
            for name, base in (("minilm", "minilm"), ("all", str(work / "all"))):
                told = {"base": name, "seed": seed, "fold": number}
                if any(told.items() <= one.items() for one in done):
                    continue
                train = [row for at, fold in enumerate(folds) if at != number for row in fold]
                files = write(work / "train.csv", train), write(work / "test.csv", folds[number])
                accuracy, seconds = tune(base, *files, seed, asked.tune_epochs)
                done.append({**told, "accuracy": accuracy, "seconds": round(seconds)})
                with kept.open("a") as file:
                    file.write(json.dumps(done[-1]) + "\n")
                print(json.dumps(done[-1]), flush=True)
    print(table(done), flush=True)


def table(done: list[dict]) -> str:
    lines = ["| base | seeds × folds | accuracy, mean of seeds | each seed |", "|---|---|---|---|"]
    for base in ("minilm", "all"):
        seeds = sorted({one["seed"] for one in done})
        each = [[one["accuracy"] for one in done if one["base"] == base and one["seed"] == seed] for seed in seeds]
        means = [statistics.mean(scores) for scores in each if scores]
        if means:
            shown = ", ".join(f"{mean:.2%}" for mean in means)
            lines.append(f"| {base} | {len(means)} × {len(each[0])} | {statistics.mean(means):.2%} | {shown} |")
    return "\n".join(lines)


def read_tones() -> list[tuple[str, str]]:
    rows = [line.rpartition("@") for line in TONES.read_text("latin-1").splitlines() if line.strip()]
    return [(text.strip(), label.strip()) for text, _, label in rows]


def stratified(rows: list[tuple[str, str]], n_folds: int = 5) -> list[list[tuple[str, str]]]:
    """Every fifth row of each label, in the file's own order."""
    folds: list[list[tuple[str, str]]] = [[] for _ in range(n_folds)]
    for label in sorted({label for _, label in rows}):
        for at, row in enumerate(row for row in rows if row[1] == label):
            folds[at % n_folds].append(row)
    return folds


def write(path: Path, rows: list[tuple[str, str]]) -> str:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])
    return str(path)


def tune(base: str, train: str, test: str, seed: int, epochs: int) -> tuple[float, float]:
    import burnish

    started = time.monotonic()
    recipe = {
        "task": {"name": "classification", "head": "mean"},
        "base": base,
        "data": {"train": train, "test": test, "dev": "2%", "duplicates": "exact", "max_length": 128},
        "train": {
            "epochs": epochs,
            "learning_rate": 2e-4,
            "tokens_per_batch": 1024,
            "freeze": {"embeddings": True},
            "keep": "last",
            "seed": seed,
        },
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    with tempfile.TemporaryDirectory() as folder:
        result = burnish.fit(recipe, out=Path(folder) / "bundle")
    assert result.report is not None
    return result.report.scores["accuracy"], time.monotonic() - started


if __name__ == "__main__":
    main()
