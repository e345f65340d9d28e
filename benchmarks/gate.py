"""The gate between versions, tried: 50 worse candidates and 50 that are as good or better, on real answers.

    BURNISH_DATA=… python benchmarks/gate.py --bundle runs/clinc-small

The answers are those of a CLINC150 bundle to its 4,500 test rows. Ten candidates each: noise in the logits (1.5 to 6
points of accuracy lost), the labels of some intents swapped, one intent never answered, twice as slow, twice as large.
Fifty that are no worse: the same logits with a little noise, and up to 1 % of the rows put right.
"""

from __future__ import annotations

import argparse
import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np

from burnish.bundle.predictor import load_predictor
from burnish.evaluation.promotion import Contender, Policy, weigh
from burnish.metrics._single import SingleOutcome


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bundle", type=Path, required=True)
    asked = parser.parse_args()
    production = answers(asked.bundle)
    draw = np.random.default_rng(0)
    worse = [(kind, one) for kind in WORSE for one in (WORSE[kind](production, number, draw) for number in range(10))]
    better = [as_good(production, number, draw) for number in range(50)]
    print("| candidates | passed | of |\n|---|---|---|")
    for kind in WORSE:
        own = [one for name, one in worse if name == kind]
        print(f"| worse: {kind} | {sum(passes(production, one) for one in own)} | {len(own)} |")
    print(f"| as good or better | {sum(passes(production, one) for one in better)} | {len(better)} |")


def answers(bundle: Path) -> Contender:
    rows = json.loads((Path(os.environ["BURNISH_DATA"]) / "clinc150" / "data_full.json").read_text())["test"]
    predictor = load_predictor(bundle)
    knowledge = predictor.knowledge
    examples = [knowledge.task.read({"text": text, "label": label}, is_labelled=True) for text, label in rows]
    outcome = knowledge.task.outcome(predictor.answer(examples), knowledge.labels, knowledge.decision)
    assert isinstance(outcome, SingleOutcome)
    return Contender(outcome, 24_000_000, 4.0)


def passes(production: Contender, candidate: Contender) -> bool:
    return weigh(production, candidate, Policy()).is_passed


def changed(contender: Contender, logits: np.ndarray) -> Contender:
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    outcome = contender.outcome
    assert isinstance(outcome, SingleOutcome)
    return replace(contender, outcome=replace(outcome, probabilities=shares / shares.sum(axis=1, keepdims=True)))


def logits_of(contender: Contender) -> np.ndarray:
    outcome = contender.outcome
    assert isinstance(outcome, SingleOutcome)
    return np.log(outcome.probabilities + 1e-12)


def accuracy(contender: Contender) -> float:
    return float(1 - contender.outcome.is_wrong().mean())


def noisy(production: Contender, number: int, draw: np.random.Generator) -> Contender:
    """As much noise as costs 1.5, 2, … 6 points."""
    logits, wanted = logits_of(production), accuracy(production) - 0.015 - 0.005 * number
    noise = draw.normal(size=logits.shape)
    low, high = 0.0, 20.0
    for _ in range(20):
        middle = (low + high) / 2
        is_enough = accuracy(changed(production, logits + middle * noise)) <= wanted
        low, high = (low, middle) if is_enough else (middle, high)
    return changed(production, logits + high * noise)


def swapped(production: Contender, number: int, draw: np.random.Generator) -> Contender:
    logits = logits_of(production)
    pair = draw.choice(logits.shape[1], 2 + 2 * (number % 3), replace=False)
    logits[:, pair] = logits[:, np.roll(pair, 1)]
    return changed(production, logits)


def dropped(production: Contender, number: int, draw: np.random.Generator) -> Contender:
    logits = logits_of(production)
    logits[:, draw.integers(logits.shape[1])] = -50
    return changed(production, logits)


def slow(production: Contender, number: int, draw: np.random.Generator) -> Contender:
    return replace(production, ms=production.ms * (1.6 + 0.2 * number))


def large(production: Contender, number: int, draw: np.random.Generator) -> Contender:
    return replace(production, size_bytes=int(production.size_bytes * (1.6 + 0.2 * number)))


WORSE = {
    "noise": noisy,
    "labels swapped": swapped,
    "one intent lost": dropped,
    "slow": slow,
    "large": large,
}


def as_good(production: Contender, number: int, draw: np.random.Generator) -> Contender:
    """Another training of the same model: other errors, as many; every second one is better by up to a point."""
    outcome = production.outcome
    assert isinstance(outcome, SingleOutcome)
    logits = logits_of(production)
    is_wrong = np.flatnonzero(outcome.is_wrong())
    fixed = draw.choice(is_wrong, size=len(is_wrong) // 3, replace=False)
    logits[fixed, outcome.gold[fixed]] += 30
    right = np.setdiff1d(np.arange(len(logits)), is_wrong)
    n_new = max(0, len(fixed) - (number % 2) * int(0.0002 * number * len(logits)))
    unsure = right[np.argsort(outcome.probabilities[right].max(axis=1))[: 4 * len(fixed)]]
    for row in draw.choice(unsure, size=n_new, replace=False):
        order = np.argsort(-logits[row])
        logits[row, order[:2]] = logits[row, order[[1, 0]]]
    return changed(production, logits + draw.normal(scale=0.02, size=logits.shape))


if __name__ == "__main__":
    main()
