"""Continued pretraining: minilm goes on with speeches of the Federal Reserve, then tells the tone of financial news.

    BURNISH_DATA=… python benchmarks/pretraining.py --threads 2 --epochs 1 --folds 5 --seeds 1 2 3 4 5

BURNISH_DATA is the folder that holds fomc/speeches.txt.gz (400 speeches, a sentence a line) and
fin_phrasebank/Sentences_AllAgree.txt (2,264 sentences, three tones). The first nine tenths of the speeches' lines are
learnt from, the last tenth, which no training sees, is judged. minilm was published without a head for masked words, so
a new one is learnt in both of:

    head    the head alone, on the base as it is: what the base knew before
    all     head and base

with the same steps on the same text; masks of the judged text are the same. Then three tones are told by 5-fold
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
    parser.add_argument("--task", default="masked_lm", help="masked_lm, or contrastive")
    parser.add_argument("--share", type=float, default=1.0, help="share of the learnt speeches, spread evenly")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="settings of the pretraining")
    parser.add_argument("--folds", type=int, default=5, help="how many of the five folds are judged")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3, 4, 5])
    parser.add_argument("--bases", type=Path, help="keep the bases here, and take those that are there")
    asked = parser.parse_args()
    os.environ.update({"BURNISH_THREADS": str(asked.threads), "OMP_NUM_THREADS": str(asked.threads)})
    with tempfile.TemporaryDirectory() as scratch:
        bases = asked.bases or Path(scratch) / "bases"
        text = speeches(Path(scratch), asked.share)
        for name, frozen in (("head", "true"), ("all", "false")) if asked.task == "masked_lm" else (("all", "false"),):
            pretrain(asked, text, bases / name, frozen)
        if asked.seeds:
            compare(asked, Path(scratch), bases / "all")


def speeches(folder: Path, share: float) -> tuple[Path, Path]:
    """The lines that are learnt from, and those that are judged, as two files."""
    with gzip.open(SPEECHES, "rt", encoding="utf-8") as file:
        lines = file.read().splitlines()
    cut = len(lines) * 9 // 10
    documents = [lines[at : at + LINES_EACH] for at in range(0, cut, LINES_EACH)]
    n = round(share * len(documents))
    taken = [documents[at * len(documents) // n] for at in range(n)]
    paths = folder / "learn.txt", folder / "judge.txt"
    for path, each in zip(
        paths,
        (taken, [lines[cut:][at : at + LINES_EACH] for at in range(0, len(lines) - cut, LINES_EACH)]),
        strict=True,
    ):
        path.write_text("\n\n".join("\n".join(one) for one in each), "utf-8")
    return paths


def pretrain(asked: argparse.Namespace, text: tuple[Path, Path], out: Path, frozen: str) -> None:
    import burnish

    if not out.exists():
        started = time.monotonic()
        settings = [
            f"train.epochs={asked.epochs}",
            f"train.freeze.all_but_head={frozen}",
            "data.max_length=128",
            "train.learning_rate=2e-4",
            "judge.n_bootstrap=200",
            *asked.set,
        ]
        source = {"name": "sentences" if asked.task == "contrastive" else "text", "path": str(text[1])}
        burnish.pretrain(
            None, settings, text=str(text[0]), task=asked.task, dev="5%", test=source, out=out, listen=tell
        )
        (out.parent / f"{out.name}.seconds").write_text(f"{time.monotonic() - started:.0f}")
    report = json.loads((out / "report" / "report.json").read_text())
    card = json.loads((out / "data_card.json").read_text())
    told = {
        "base": out.name,
        "documents": card["splits"]["train"]["n_rows"],
        "scores on held-out speeches": {name: round(report["scores"][name], 4) for name in report["headline"]},
        "intervals": {name: report["intervals"].get(name) for name in report["headline"]},
        "before training": report["about"]["before training"],
        "seconds": (out.parent / f"{out.name}.seconds").read_text(),
    }
    print(json.dumps(told), flush=True)


def tell(event: object) -> None:
    if text := getattr(event, "text", None):
        print(text, flush=True)


def compare(asked: argparse.Namespace, scratch: Path, pretrained: Path) -> None:
    """Accuracy from both bases, fold after fold."""
    found: dict[str, dict[int, list[float]]] = {"minilm": {}, str(pretrained): {}}
    folds = stratified(read_tones())
    for seed in asked.seeds:
        for number in range(asked.folds):
            for base, scores in found.items():
                train = [row for at, fold in enumerate(folds) if at != number for row in fold]
                accuracy, seconds = tune(
                    base, write(scratch / "train.csv", train), write(scratch / "test.csv", folds[number]), seed
                )
                scores.setdefault(seed, []).append(accuracy)
                print(
                    json.dumps(
                        {
                            "base": Path(base).name,
                            "seed": seed,
                            "fold": number,
                            "accuracy": accuracy,
                            "seconds": round(seconds),
                        }
                    ),
                    flush=True,
                )
        print(table(found), flush=True)


def table(found: dict[str, dict[int, list[float]]]) -> str:
    lines = ["| base | seeds × folds | accuracy, mean of seeds | each seed |", "|---|---|---|---|"]
    for base, scores in found.items():
        means = [statistics.mean(each) for each in scores.values()]
        shown = ", ".join(f"{mean:.2%}" for mean in means)
        n_folds = len(next(iter(scores.values())))
        lines.append(f"| {Path(base).name} | {len(means)} × {n_folds} | {statistics.mean(means):.2%} | {shown} |")
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


def tune(base: str, train: str, test: str, seed: int) -> tuple[float, float]:
    import burnish

    started = time.monotonic()
    recipe = {
        "task": {"name": "classification", "head": "mean"},
        "base": base,
        "data": {"train": train, "test": test, "dev": "5%", "duplicates": "exact", "max_length": 128},
        "train": {"epochs": 3, "learning_rate": 2e-4, "tokens_per_batch": 1024, "keep": "last", "seed": seed},
        "judge": {"n_bootstrap": 0, "formats": ["json"]},
    }
    with tempfile.TemporaryDirectory() as folder:
        result = burnish.fit(recipe, out=Path(folder) / "bundle")
    assert result.report is not None
    return result.report.scores["accuracy"], time.monotonic() - started


if __name__ == "__main__":
    main()
