"""Spoken digits of speakers that were not heard in training: fsdd, each test speaker in turn.

    BURNISH_DATA=/path BURNISH_SPEECH_BASE=/path/whisper-tiny-en python benchmarks/speech.py --speakers theo jackson

Four speakers train, the next one in the alphabet is dev, one is test. What is fitted is recipes/fsdd.yaml, with its
split said by name instead of drawn.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import burnish
from burnish.recipe.load import load

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers", nargs="*", help="test speakers; all six unless some are named")
    parser.add_argument("--set", nargs="*", default=[], metavar="SETTING", help="changes of the recipe")
    asked = parser.parse_args()
    rows = rows_of(Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data")) / "fsdd" / "recordings")
    speakers = sorted({row["speaker"] for row in rows})
    found = []
    for test in asked.speakers or speakers:
        dev = speakers[(speakers.index(test) + 1) % len(speakers)]
        found.append(fit(rows, test, dev, asked.set))
        print(json.dumps(found[-1]), flush=True)
    print("\n| test speaker | dev speaker | rows trained, judged | accuracy | 95 % interval | ECE | wall time |")
    print("|---|---|---|---|---|---|---|")
    for one in found:
        low, high = one["interval"]
        print(
            f"| {one['test']} | {one['dev']} | {one['n_train']:,}, {one['n_rows']:,} | {one['accuracy']:.1%} "
            f"| {low:.1%} – {high:.1%} | {one['ece']:.1%} | {one['minutes']:.1f} min |"
        )
    print(f"\nmean accuracy: {sum(one['accuracy'] for one in found) / len(found):.1%}")


def rows_of(folder: Path) -> list[dict]:
    """A row for each recording; DIGIT_SPEAKER_TAKE.wav is what files are called."""
    files = sorted(folder.glob("*.wav"))
    if not files:
        raise SystemExit(f"there are no recordings in {folder}; set BURNISH_DATA to a folder that holds fsdd")
    return [dict(zip(("label", "speaker"), file.stem.split("_")[:2], strict=True), audio=str(file)) for file in files]


def fit(rows: list[dict], test: str, dev: str, changes: list[str]) -> dict:
    sides: dict[str, list[dict]] = {"train": [], "dev": [], "test": []}
    for row in rows:
        sides["test" if row["speaker"] == test else "dev" if row["speaker"] == dev else "train"].append(row)
    given = load(ROOT / "recipes" / "fsdd.yaml").recipe
    recipe = given.model_dump(by_alias=True)
    recipe["data"] = {**recipe["data"], **sides, "columns": {}, "split": "stratified"}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = burnish.fit(recipe, changes, out=Path(scratch) / "bundle").report
    return {
        "test": test,
        "dev": dev,
        "n_train": len(sides["train"]),
        "n_rows": report.n_rows,
        "accuracy": report.scores["accuracy"],
        "interval": report.intervals["accuracy"],
        "ece": report.scores["ece"],
        "minutes": (time.monotonic() - started) / 60,
    }


if __name__ == "__main__":
    main()
