"""Spoken digits of speakers that were not heard in training (fsdd): one label a recording, and strings written down.

    BURNISH_DATA=/path BURNISH_SPEECH_BASE=/path/whisper-tiny-en python benchmarks/speech.py --speakers theo jackson
    … python benchmarks/speech.py --strings --speakers theo

Of each test speaker the next one in the alphabet is dev, and the other four train. Labels are fitted by
recipes/fsdd.yaml, with its split said by name instead of drawn. `--strings` joins four digits of a speaker, drawn at
random, and writes them down: before training, in Whisper's own window of 30 seconds, and after, in one of 4.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile

import burnish
from burnish.metrics._transcripts import TranscriptOutcome
from burnish.metrics.wer import Wer
from burnish.recipe.load import load

ROOT = Path(__file__).resolve().parents[1]
WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
N_STRINGS = {"train": 600, "dev": 60, "test": 100}
N_DIGITS, GAP_S = 4, 0.1
STRINGS = {
    "task": {"name": "transcription", "max_seconds": 4, "decoding": {"max_new_tokens": 24}},
    "train": {"epochs": 2, "tokens_per_batch": 1760, "learning_rate": 3e-5},  # 8 strings of 200 frames
    "judge": {"n_bootstrap": 200, "formats": ["json"]},
}
UNTRAINED = ["train.epochs=0", "task.max_seconds=null"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--speakers", nargs="*", help="test speakers; all six unless some are named")
    parser.add_argument("--strings", action="store_true", help="write down strings of digits instead of naming one")
    parser.add_argument("--set", nargs="*", default=[], metavar="SETTING", help="changes of the recipe")
    asked = parser.parse_args()
    rows = rows_of(Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data")) / "fsdd" / "recordings")
    speakers = sorted({row["speaker"] for row in rows})
    found = []
    for test in asked.speakers or speakers:
        dev = speakers[(speakers.index(test) + 1) % len(speakers)]
        sides = {"train": [r for r in rows if r["speaker"] not in (test, dev)]}
        sides |= {"dev": [r for r in rows if r["speaker"] == dev], "test": [r for r in rows if r["speaker"] == test]}
        found.append(
            {"test": test, "dev": dev, **(write(sides, asked.set) if asked.strings else name(sides, asked.set))}
        )
        print(json.dumps(found[-1]), flush=True)
    print_table(found)


def rows_of(folder: Path) -> list[dict]:
    """A row for each recording; DIGIT_SPEAKER_TAKE.wav is what files are called."""
    files = sorted(folder.glob("*.wav"))
    if not files:
        raise SystemExit(f"there are no recordings in {folder}; set BURNISH_DATA to a folder that holds fsdd")
    return [dict(zip(("label", "speaker"), file.stem.split("_")[:2], strict=True), audio=str(file)) for file in files]


def name(sides: dict[str, list[dict]], changes: list[str]) -> dict:
    """The digit of each recording."""
    recipe = load(ROOT / "recipes" / "fsdd.yaml").recipe.model_dump(by_alias=True)
    recipe["data"] = {**recipe["data"], **sides, "columns": {}, "split": "stratified"}
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch:
        report = burnish.fit(recipe, changes, out=Path(scratch) / "bundle").report
    return {
        "trained": len(sides["train"]),
        "judged": report.n_rows,
        "accuracy": report.scores["accuracy"],
        "interval": list(report.intervals["accuracy"]),
        "ece": report.scores["ece"],
        "minutes": round((time.monotonic() - started) / 60, 2),
    }


def write(sides: dict[str, list[dict]], changes: list[str]) -> dict:
    """The words of strings of digits, before and after training."""
    draw = np.random.default_rng(7)
    data = {side: [string_of(rows, draw) for _ in range(N_STRINGS[side])] for side, rows in sides.items()}
    base = load(ROOT / "recipes" / "fsdd.yaml").recipe.base
    recipe = {**STRINGS, "base": base, "data": {**data, "duplicates": "off"}}
    found: dict = {"trained": len(data["train"]), "judged": len(data["test"])}
    for when, more in (("before", UNTRAINED), ("after", changes)):
        started = time.monotonic()
        with tempfile.TemporaryDirectory() as scratch:
            bundle = burnish.fit(recipe if when == "after" else only_test(recipe), more, out=Path(scratch) / "b").bundle
            written = [answer.text for answer in burnish.predict(bundle, data["test"])]
        found[f"wer_{when}"] = error_rate(data["test"], written)
        found[f"wer_{when}_spelled"] = error_rate(data["test"], [spelled(text) for text in written])
        found[f"minutes_{when}"] = round((time.monotonic() - started) / 60, 2)
        found[f"written_{when}"] = written[:3]
    return found


def only_test(recipe: dict) -> dict:
    """Few rows but those that are judged: nothing is learned from the others."""
    data = recipe["data"]
    return {**recipe, "data": {**data, "train": data["train"][:4], "dev": data["dev"][:2], "test": data["dev"][:2]}}


def string_of(rows: list[dict], draw: np.random.Generator) -> dict:
    """Four digits of one speaker, one after the other."""
    speaker = rows[draw.integers(len(rows))]["speaker"]
    own = [row for row in rows if row["speaker"] == speaker]
    chosen = [own[draw.integers(len(own))] for _ in range(N_DIGITS)]
    sounds, rate_hz = [], 8_000
    for row in chosen:
        samples, rate_hz = soundfile.read(row["audio"], dtype="float32")
        sounds += [samples, np.zeros(int(GAP_S * rate_hz), np.float32)]
    text = " ".join(WORDS[int(row["label"])] for row in chosen)
    return {"audio": {"array": np.concatenate(sounds), "sampling_rate": rate_hz}, "text": text}


def spelled(text: str) -> str:
    """Numerals as words: an untrained Whisper writes `4 9 1 2` or `4912`."""
    return "".join(f" {WORDS[int(letter)]} " if letter.isdigit() and letter.isascii() else letter for letter in text)


def error_rate(rows: list[dict], written: list[str]) -> float:
    return Wer().score(TranscriptOutcome([row["text"] for row in rows], written))["wer"]


def print_table(found: list[dict]) -> None:
    columns = [key for key in found[0] if not key.startswith("written")]
    print("\n| " + " | ".join(key.replace("_", " ") for key in columns) + " |")
    print("|" + "---|" * len(columns))
    for one in found:
        print("| " + " | ".join(shown(one[key]) for key in columns) + " |")
    if "accuracy" in found[0]:
        print(f"\nmean accuracy: {np.mean([one['accuracy'] for one in found]):.1%}")


def shown(value: object) -> str:
    if isinstance(value, list):
        return " – ".join(shown(item) for item in value)
    return f"{value:.3f}" if isinstance(value, float) else f"{value}"


if __name__ == "__main__":
    main()
