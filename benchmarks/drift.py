"""How honest alarms are: raised by chance, raised by a change, and the rate of false alarms that `spike` states.

    BURNISH_DATA=… python benchmarks/drift.py changes --labels domains
    python benchmarks/drift.py spikes

BURNISH_DATA is the folder that holds clinc150/data_full.json (150 intents) and domains.json (10 domains of these). A
naive Bayes model of words, calibrated, answers the 7,500 questions of CLINC150's val and test; a reference of 2,000 and
windows of 500 are drawn from them anew for every trial, without overlap, so that a quiet window differs from its
reference by chance alone. Then the same with a change of three sizes. Every watch runs with its defaults, all p-values
corrected together at 5 %.

`spike` looks at 60 simulated days, hour by hour, with a day's rhythm of ±80 % and labels that come in clumps.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import string
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from burnish.monitoring.looking import look
from burnish.monitoring.reference import Reference
from burnish.monitoring.rules import Rulebook
from burnish.monitoring.summary import Summary
from burnish.monitoring.watches.spike import Spike
from burnish.monitoring.window import Window
from burnish.store.records import Feedback, Prediction

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(os.environ.get("BURNISH_DATA", ROOT.parent / "data")) / "clinc150" / "data_full.json"
HOUR = 3600.0
CHINESE = "请问我的银行卡丢了应该怎么挂失还能查到余额吗"


@dataclass(frozen=True)
class Row:
    text: str
    gold: str


class WordModel:
    """Naive Bayes over words, one temperature so that mean confidence is accuracy."""

    def __init__(self, rows: Sequence[Row], dev: Sequence[Row]) -> None:
        self.labels = sorted({row.gold for row in rows})
        self.words = {word: n for n, word in enumerate(sorted({w for row in rows for w in row.text.split()}))}
        counts = np.full((len(self.words), len(self.labels)), 0.05)
        for row in rows:
            for word in row.text.split():
                counts[self.words[word], self.labels.index(row.gold)] += 1
        self.weights = np.log(counts / counts.sum(axis=0))
        self.temperature = 1.0
        right = np.mean([self.answer(row.text)[0] == row.gold for row in dev])
        low, high = 0.2, 10.0
        for _ in range(25):
            self.temperature = math.sqrt(low * high)
            is_too_sure = np.mean([self.answer(row.text)[1].max() for row in dev[:1000]]) > right
            low, high = (self.temperature, high) if is_too_sure else (low, self.temperature)

    def answer(self, text: str) -> tuple[str, np.ndarray, float]:
        """Label, probabilities, share of words that it never saw."""
        known = [self.words[word] for word in text.split() if word in self.words]
        logits = self.weights[known].sum(axis=0) / self.temperature
        shares = np.exp(logits - logits.max())
        n_words = max(1, len(text.split()))
        return self.labels[int(logits.argmax())], shares / shares.sum(), 1 - len(known) / n_words

    def predict(self, number: int, row: Row, at: float, sharpness: float = 1.0) -> Prediction:
        label, shares, unknown = self.answer(row.text)
        shares = shares**sharpness / (shares**sharpness).sum()
        return Prediction(
            id=f"p{number}",
            at=at,
            name="clinc",
            version=1,
            key="k",
            input=None,
            input_digest="",
            answer={"label": label},
            label=label,
            confidence=float(shares.max()),
            is_abstained=bool(shares.max() < 0.4),
            n_tokens=len(row.text.split()),
            n_characters=len(row.text),
            share_cjk=sum("一" <= letter <= "鿿" for letter in row.text) / len(row.text),
            share_unknown=unknown,
            vector=tuple(np.round(shares, 4).tolist()),
        )


class Trials:
    """Windows beside a reference, from one pool of questions."""

    def __init__(self, labels: str, n_rows: int, n_reference: int, seed: int) -> None:
        domains = json.loads(FILE.with_name("domains.json").read_text("utf-8"))
        named = {intent: domain for domain, intents in domains.items() for intent in intents}
        rows = json.loads(FILE.read_text("utf-8"))
        data = {
            side: [Row(text, named.get(intent, intent) if labels == "domains" else intent) for text, intent in pairs]
            for side, pairs in rows.items()
        }
        self.model = WordModel(data["train"], data["val"])
        self.pool = [*data["val"], *data["test"]]
        self.elsewhere = data["oos_test"]
        self.n_rows, self.n_reference = n_rows, n_reference
        self.draw = np.random.default_rng(seed)
        self.known = [self.model.predict(n, row, 0.0) for n, row in enumerate(self.pool)]
        self.rulebook = Rulebook.default()

    def run(self, n_trials: int, change: Callable[[Trials, np.ndarray], list], share_judged: float = 0.4) -> Counter:
        """How often each watch was raised, and `any` of those corrected together."""
        raised: Counter = Counter()
        history: list[Window] = []
        for trial in range(n_trials):
            order = self.draw.permutation(len(self.pool))
            of_reference = order[: self.n_reference]
            accuracy = np.mean([self.known[n].label == self.pool[n].gold for n in of_reference])
            reference = Reference.of((self.known[n] for n in of_reference), float(accuracy))
            if trial % 20 == 0:
                history = [self.past(hour, order) for hour in range(30)]
            pairs = change(self, order[self.n_reference :])
            found = look(self.rulebook, self.window(pairs, share_judged), reference, history)
            names = [name for name, one in found.items() if one is not None and one.is_raised]
            raised.update(names)
            raised["any"] += any(name != "spike" for name in names)
            raised["looked"] += 1
        return raised

    def window(self, pairs: list[tuple[Prediction, str]], share_judged: float) -> Window:
        at = 30 * HOUR
        predictions = [
            replace(one, id=f"{n}", at=at + 1, ms=float(self.draw.lognormal(2, 0.4)))
            for n, (one, _) in enumerate(pairs)
        ]
        feedback = [
            Feedback(f"f{n}", at + 2, f"{n}", "clinc", 1, "k", "label", gold)
            for n, (_, gold) in enumerate(pairs)
            if self.draw.random() < share_judged
        ]
        n_errors = int(self.draw.binomial(len(pairs), 0.002))
        return Window.of(predictions, feedback, at, at + HOUR, n_errors)

    def past(self, hour: int, order: np.ndarray) -> Window:
        n = self.draw.poisson(self.n_rows)
        rows = self.draw.choice(order[self.n_reference :], size=n)
        predictions = [
            replace(self.known[row], at=hour * HOUR + 1, ms=float(self.draw.lognormal(2, 0.4)), vector=None)
            for row in rows
        ]
        return Window.of(predictions, [], hour * HOUR, (hour + 1) * HOUR)


def quiet(trials: Trials, rows: np.ndarray) -> list:
    return [(trials.known[n], trials.pool[n].gold) for n in rows[: trials.n_rows]]


def labels_tilted(size: float) -> Callable:
    """Labels weighed by exp(size · normal): a stability index of about size²."""

    def change(trials: Trials, rows: np.ndarray) -> list:
        weight = dict(
            zip(trials.model.labels, np.exp(size * trials.draw.normal(size=len(trials.model.labels))), strict=True)
        )
        share = np.array([weight[trials.known[n].label] for n in rows])
        chosen = trials.draw.choice(rows, size=trials.n_rows, replace=False, p=share / share.sum())
        return quiet(trials, chosen)

    return change


def other_inputs(share: float, text_of: Callable[[Trials], str]) -> Callable:
    """A share of the inputs replaced by what `text_of` draws."""

    def change(trials: Trials, rows: np.ndarray) -> list:
        pairs = quiet(trials, rows)
        n_other = round(share * len(pairs))
        other = [Row(text_of(trials), "none") for _ in range(n_other)]
        return [*((trials.model.predict(0, row, 0.0), row.gold) for row in other), *pairs[n_other:]]

    return change


def misspelt(share: float) -> Callable:
    """A share of the words with one letter changed."""

    def change(trials: Trials, rows: np.ndarray) -> list:
        changed = []
        for n in rows[: trials.n_rows]:
            words = [
                slip(word, trials.draw) if trials.draw.random() < share else word
                for word in trials.pool[n].text.split()
            ]
            row = Row(" ".join(words), trials.pool[n].gold)
            changed.append((trials.model.predict(0, row, 0.0), row.gold))
        return changed

    return change


def slip(word: str, draw: np.random.Generator) -> str:
    at = int(draw.integers(len(word)))
    return word[:at] + str(draw.choice(list(string.ascii_lowercase))) + word[at + 1 :]


def less_sure(sharpness: float) -> Callable:
    """Probabilities flattened: the same answers, with less confidence."""

    def change(trials: Trials, rows: np.ndarray) -> list:
        chosen = rows[: trials.n_rows]
        return [(trials.model.predict(0, trials.pool[n], 0.0, sharpness), trials.pool[n].gold) for n in chosen]

    return change


def more_wrong(points: float) -> Callable:
    """The truth moves away from the model: so many more answers are wrong, inputs and answers stay (concept shift)."""

    def change(trials: Trials, rows: np.ndarray) -> list:
        pairs = quiet(trials, rows)
        right = np.mean([one.label == gold for one, gold in pairs])
        return [
            (one, "another" if one.label == gold and trials.draw.random() < points / right else gold)
            for one, gold in pairs
        ]

    return change


LITTLE = 1e-9
BARE = Rulebook.of(
    {
        "rules": [
            {"watch": {"name": name, setting: value}}
            for name, setting, value in (
                ("volume", "factor", 1 + LITTLE),
                ("latency", "factor", 1 + LITTLE),
                ("errors", "most", 0.002),
                ("confidence", "delta", LITTLE),
                ("abstentions", "points", LITTLE),
                ("label_mix", "psi", LITTLE),
                ("input_length", "delta", LITTLE),
                ("language", "points", LITTLE),
                ("unknown_tokens", "delta", LITTLE),
                ("drift", "distance", LITTLE),
                ("privacy_hits", "points", LITTLE),
                ("quality", "points", LITTLE),
            )
        ]
    }
)
"""Every watch with a threshold of next to nothing: what is left is the correction of the p-values."""


def out_of_scope(trials: Trials) -> str:
    return trials.elsewhere[int(trials.draw.integers(len(trials.elsewhere)))].text


CHANGES = {
    "labels: stability index": ("label_mix", [(f"{s * s:.2f}", labels_tilted(s)) for s in (0.3, 0.5, 0.8)]),
    "inputs: out of scope": ("drift", [(f"{s:.0%}", other_inputs(s, out_of_scope)) for s in (0.1, 0.2, 0.4)]),
    "inputs: in Chinese": ("language", [(f"{s:.0%}", other_inputs(s, lambda _: CHINESE)) for s in (0.05, 0.1, 0.2)]),
    "inputs: words misspelt": ("unknown_tokens", [(f"{s:.0%}", misspelt(s)) for s in (0.05, 0.1, 0.2)]),
    "confidence: logits ×": ("confidence", [(f"{s:g}", less_sure(s)) for s in (0.9, 0.8, 0.7)]),
    "quality: points more wrong": ("quality", [(f"{s:.0%}", more_wrong(s)) for s in (0.05, 0.1, 0.15)]),
}


def one_reference(trials: Trials, n_references: int, n_windows: int) -> list[float]:
    """Share of quiet windows raised beside one and the same reference, for several of them."""
    found = []
    for _ in range(n_references):
        order = trials.draw.permutation(len(trials.pool))
        reference = Reference.of(trials.known[n] for n in order[: trials.n_reference])
        n_raised = 0
        for _ in range(n_windows):
            rows = trials.draw.choice(order[trials.n_reference :], size=trials.n_rows, replace=False)
            results = look(trials.rulebook, trials.window(quiet(trials, rows), 0.0), reference, [])
            n_raised += any(one.is_raised for one in results.values() if one)
        found.append(n_raised / n_windows)
    return found


def hours_of(mean: np.ndarray, clumping: np.ndarray, n_days: int, draw: np.random.Generator) -> np.ndarray:
    """[hours, labels] counts: negative binomial about a daily rhythm of ±80 %."""
    rhythm = 1 + 0.8 * np.sin(2 * np.pi * np.arange(24 * n_days) / 24)
    rate = rhythm[:, None] * mean
    extra = np.maximum(clumping - 1, 1e-9)
    return draw.poisson(np.where(clumping > 1, draw.gamma(rate / extra, extra), rate))


def as_windows(counts: np.ndarray) -> list[Window]:
    empty = Summary.of([])
    made = []
    for hour, row in enumerate(counts):
        labels = {f"label {n}": int(count) for n, count in enumerate(row) if count}
        answers = replace(empty, n_rows=int(row.sum()), labels=labels)
        made.append(Window(hour * HOUR, (hour + 1) * HOUR, answers, 0, 0, 0))
    return made


def spike_rate(n_labels: int, clumps: str, rate: float, n_repeats: int, seed: int) -> tuple[float, float]:
    """False alarms a day over 60 days, and the share of bursts (ten times the mean, at least 20 more) that is found."""
    draw, watch = np.random.default_rng(seed), Spike(false_alarms_per_day=rate)
    n_days, n_past, n_false, n_found, n_bursts = 60, 168, 0, 0, 0
    for _ in range(n_repeats):
        mean = np.geomspace(0.1, 60, n_labels)
        clumping = {
            "none": np.ones(n_labels),
            "some": draw.choice([1, 1.5, 2, 5], n_labels),
            "many": np.full(n_labels, 5.0),
        }[clumps]
        windows = as_windows(hours_of(mean, clumping, n_days + 7, draw))
        for hour in range(n_past, len(windows)):
            past = windows[hour - n_past : hour]
            found = watch.look(windows[hour], None, past)
            n_false += bool(found and found.is_raised)
            if hour % 97 == 0:
                n_bursts += 1
                n_found += burst_found(watch, windows[hour], past, mean, draw)
    return n_false / (n_days * n_repeats), n_found / n_bursts


def burst_found(watch: Spike, window: Window, past: list[Window], mean: np.ndarray, draw: np.random.Generator) -> bool:
    label = int(draw.integers(len(mean)))
    more = max(20, round(9 * mean[label]))
    labels = Counter(window.answers.labels) + Counter({f"label {label}": more})
    answers = replace(window.answers, labels=dict(labels), n_rows=window.answers.n_rows + more)
    found = watch.look(replace(window, answers=answers), None, past)
    return bool(found and found.is_raised and f"label {label}" in found.numbers["labels"])


def tell_changes(trials: Trials, n_quiet: int, n_changed: int) -> None:
    for how, rulebook in (("defaults", Rulebook.default()), ("p-values alone, no thresholds", BARE)):
        trials.rulebook = rulebook
        found = trials.run(n_quiet, quiet)
        print(f"{how}: {found['any']} of {n_quiet} quiet windows raised ({found['any'] / n_quiet:.1%})", flush=True)
        print("   ", {name: n for name, n in sorted(found.items()) if name not in ("any", "looked")})
        shares = one_reference(trials, 10, 40)
        print(f"    beside one reference each, ten of them: mean {np.mean(shares):.1%}, highest {max(shares):.1%}")
    trials.rulebook = Rulebook.default()
    print()
    print("| change | size | watch | raised by it | by any |\n|---|---|---|---|---|")
    for name, (watch, sizes) in CHANGES.items():
        for size, change in sizes:
            found = trials.run(n_changed, change)
            own, every = (f"{found[key] / n_changed:.0%}" for key in (watch, "any"))
            print(f"| {name} | {size} | {watch} | {own} | {every} |", flush=True)


def tell_spikes(n_repeats: int, seed: int) -> None:
    print("\n| labels | clumps | false alarms a day: stated | measured | bursts found |\n|---|---|---|---|---|")
    asked = [(10, "none", 0.1), (10, "some", 0.1), (10, "many", 0.1), (10, "some", 1.0), (100, "some", 0.1)]
    for n_labels, clumps, rate in asked:
        measured, power = spike_rate(n_labels, clumps, rate, n_repeats, seed)
        print(f"| {n_labels} | {clumps} | {rate:g} | {measured:.3f} | {power:.0%} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("part", choices=["changes", "spikes"])
    parser.add_argument("--labels", choices=["intents", "domains"], default="intents")
    parser.add_argument("--quiet", type=int, default=200, help="windows without a change")
    parser.add_argument("--changed", type=int, default=50, help="windows of each change and size")
    parser.add_argument("--rows", type=int, default=500, help="rows of a window")
    parser.add_argument("--reference", type=int, default=2000, help="rows of the reference")
    parser.add_argument("--repeats", type=int, default=6, help="times 60 days for spikes")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.part == "spikes":
        tell_spikes(asked.repeats, asked.seed)
    else:
        tell_changes(Trials(asked.labels, asked.rows, asked.reference, asked.seed), asked.quiet, asked.changed)


if __name__ == "__main__":
    main()
