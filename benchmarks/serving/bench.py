"""What every part is given: the bundle, texts with the answers they must get, sizes; and how its numbers are told."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.client import Asked
from serving.inprocess import read_texts

N_ROWS = 100
"""That stand in for test rows when the bundle is released."""
FARTHEST = 0.05
"""How far a confidence may be from that of the same text in another batch: padding shifts what is rounded to int8."""


@dataclass(frozen=True)
class Sizes:
    """How much is measured. The defaults are those of the promises."""

    seconds: float = 30.0
    """Of each load."""
    rounds: int = 3
    """Of what is compared: in turns, the median counts."""
    trials: int = 50
    """SIGTERMs, and as many kill -9."""
    swaps: int = 100
    concurrent: int = 10_000
    requests: int = 100_000
    leak_swaps: int = 500
    flips: int = 1000
    live_flips: int = 25
    values: int = 1000
    away_s: float = 30.0
    settings: int = 99
    """Most settings of each rival that are tried."""

    @classmethod
    def quick(cls) -> Sizes:
        """To see that everything runs."""
        return cls(4.0, 1, 2, 6, 300, 2000, 10, 60, 3, 60, 4.0, 1)


@dataclass(frozen=True)
class InProcess:
    texts_per_s: float
    cpu_ms: float
    """Of a text."""
    answers: list[tuple[str, float]]
    """Label and confidence of each text."""


@dataclass
class Bench:
    bundle: Path
    texts_file: Path
    sizes: Sizes
    original: Path | None = None
    """The bundle that was shrunk, which rivals serve."""
    pythons: dict[str, Path] = field(default_factory=dict)
    """Rival → the python of its environment."""
    server_cores: Sequence[int] = ()
    """The cores that a server has for itself; all where there are none."""

    def __post_init__(self) -> None:
        self.texts = read_texts(self.texts_file)
        self.expected = self.in_process(0.0).answers

    def in_process(self, seconds: float) -> InProcess:
        """The answers without HTTP, and for so many seconds how fast they come."""
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "answers.json"
            script = Path(__file__).with_name("inprocess.py")
            words = [sys.executable, script, self.bundle, self.texts_file, out, seconds]
            done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=900)
            if done.returncode:
                raise RuntimeError(done.stderr[-2000:])
            answers = [(label, confidence) for label, confidence in json.loads(out.read_text())]
            return InProcess(answers=answers, **json.loads(done.stdout.splitlines()[-1]))

    def rows(self) -> list[dict[str, str]]:
        """Some texts with what is answered to them as their label."""
        pairs = zip(self.texts[:N_ROWS], self.expected, strict=False)
        return [{"text": text, "label": label} for text, (label, _) in pairs]

    def is_right(self, asked: Asked) -> bool:
        """Whether an answer is that of its own text."""
        [found] = asked.json()["predictions"]
        return self.fits(found, asked.number % len(self.texts))

    def fits(self, found: dict[str, Any], number: int) -> bool:
        label, confidence = self.expected[number]
        return found["label"] == label and abs(found["confidence"] - confidence) <= FARTHEST

    def tellable(self) -> float:
        """Share of pairs of texts (of neighbours at ten distances) whose answers tell one from the other."""
        n, found = len(self.expected), 0
        distances = [1, 2, 3, 7, 17, 41, 97, 233, 557, 1301]
        for distance in distances:
            for at, (label, confidence) in enumerate(self.expected):
                other, near = self.expected[(at + distance) % n]
                found += label != other or abs(confidence - near) > FARTHEST
        return found / n / len(distances)


@dataclass(frozen=True)
class Account:
    """What became of requests: every one is in exactly one place."""

    n_asked: int
    statuses: Counter[int]
    faults: Counter[str]
    n_wrong: int
    n_bad_refusals: int
    """503 without an integer Retry-After, or without a problem as its body."""

    @property
    def n_unanswered(self) -> int:
        return sum(self.faults.values())

    @property
    def n_good(self) -> int:
        return self.statuses[200] - self.n_wrong

    def told(self) -> str:
        parts = [f"{status}: {n:,}" for status, n in sorted(self.statuses.items())]
        return ", ".join(parts + [f"{fault}: {n:,}" for fault, n in sorted(self.faults.items())])


def account_of(bench: Bench, asked: Sequence[Asked]) -> Account:
    statuses = Counter(one.status for one in asked if one.status)
    faults = Counter(one.fault or "unended" for one in asked if not one.status)
    n_wrong = sum(one.status == 200 and not bench.is_right(one) for one in asked)
    n_bad = sum(one.status == 503 and not is_good_refusal(one) for one in asked)
    return Account(len(asked), statuses, faults, n_wrong, n_bad)


def is_good_refusal(asked: Asked) -> bool:
    later, kind = asked.header("retry-after"), asked.header("content-type")
    is_problem = kind == "application/problem+json" and asked.json().get("status") == 503
    return is_problem and later is not None and later.isdigit() and int(later) > 0


def tell(title: str, rows: Sequence[tuple[str, str, str]]) -> None:
    """A part's numbers."""
    print(f"\n## {title}\n\n| what | asked | measured |\n|---|---|---|")
    for what, wanted, measured in rows:
        print(f"| {what} | {wanted} | {measured} |")
    sys.stdout.flush()


def say(text: str) -> None:
    """Progress."""
    print(text, file=sys.stderr, flush=True)


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
