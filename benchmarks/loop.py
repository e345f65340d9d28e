"""The closed loop on CLINC150: a model of half the rows, and two rounds of corrections, some wrong on purpose.

    BURNISH_DATA=… python benchmarks/loop.py --work /tmp/loop

130 of the 150 intents come back as requests: texts of the half that was not trained on, `--each` of them a round. Sixty
users say of each answer what is right; six of them, so a tenth of what is said, always name another intent. Each round
is one `retrain`; the last one is fed with labels that are all wrong, past the guard, and must not pass the gate. Twenty
intents are never asked for: on these nothing may be forgotten. Told are the 3,000 dev rows, by which settings are
chosen, and the 4,500 test rows. `--seed` draws other halves, intents and users: one run tells little of so few rows.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Row = tuple[str, str]
N_USERS = 60
N_UNTOUCHED = 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", type=Path, required=True, help="an empty folder; what is there already is used")
    parser.add_argument("--each", type=int, default=3000, help="requests a round")
    parser.add_argument("--wrong", type=float, default=0.1, help="share of the users who are always wrong")
    parser.add_argument("--epochs", type=int, default=3, help="of a retraining")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE", help="of the recipe, for every training")
    parser.add_argument("--anchor", default="none", help="none, l2sp, ewc, replay")
    parser.add_argument("--start-share", type=float, default=0.5, help="of the weights of production, in the result")
    asked = parser.parse_args()
    asked.work.mkdir(parents=True, exist_ok=True)
    os.environ["BURNISH_HOME"] = str(asked.work / "home")
    Loop(asked).run()


class Loop:
    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.draw = random.Random(asked.seed)
        sides = json.loads((Path(os.environ["BURNISH_DATA"]) / "clinc150" / "data_full.json").read_text())
        self.dev, self.test = [tuple(row) for row in sides["val"]], [tuple(row) for row in sides["test"]]
        rows = [tuple(row) for row in sides["train"]]
        self.draw.shuffle(rows)
        self.all, self.half = rows, rows[: len(rows) // 2]
        labels = sorted({label for _, label in rows})
        self.untouched = set(self.draw.sample(labels, N_UNTOUCHED))
        self.labels = labels
        self.later = [row for row in rows[len(rows) // 2 :] if row[1] not in self.untouched]

    def run(self) -> None:
        work = self.asked.work
        half, clean = self.fit("half", self.half), self.fit("clean", self.all)
        table = [("trained on half of the rows", *self.scores(half), "")]
        from burnish.flows.promote import promote
        from burnish.flows.release import release

        rows = [f"data.train={work / 'half.csv'}", f"data.test={work / 'test.csv'}"]
        release(half, "intent", rows, listen=tell)
        promote("intent:1")
        for number in (1, 2):
            texts = self.later[(number - 1) * self.asked.each : number * self.asked.each]
            n_wrong = self.correct(texts, self.asked.wrong)
            table.append(self.retrained(f"round {number}: {len(texts):,} requests, {n_wrong} corrections wrong"))
        table.append(("trained on all rows, all clean", *self.scores(clean), ""))
        self.correct(self.later[-1500:], 1.0, is_reviewed=True)
        table.append(self.retrained("forced: 1,500 corrections all wrong, past the guard"))
        print(
            "\n| model | dev | its untouched intents | test | its untouched intents | gate |\n|---|---|---|---|---|---|"
        )
        for name, *scores, gate in table:
            print(f"| {name} | {' | '.join(f'{score:.4f}' for score in scores)} | {gate} |")

    def fit(self, name: str, rows: Sequence[Row]) -> Path:
        from burnish.flows.fit import fit

        work = self.asked.work
        for side, own in ((name, rows), ("dev", self.dev), ("test", self.test)):
            write(work / f"{side}.csv", own)
        out = work / f"bundle-{name}"
        if not out.exists():
            recipe = Path(__file__).resolve().parent.parent / "recipes" / "clinc150.yaml"
            sides = [
                f"data.train={work / f'{name}.csv'}",
                f"data.dev={work / 'dev.csv'}",
                f"data.test={work / 'test.csv'}",
            ]
            further = ["judge.gates={}", f"train.seed={self.asked.seed}", *self.asked.set]
            fit(recipe, [*sides, *further], out=out, listen=tell)
        return out

    def correct(self, rows: Sequence[Row], share_wrong: float, *, is_reviewed: bool = False) -> int:
        """Ask production, and let users say what is right, `share_wrong` of it wrong."""
        from burnish.core.ids import new_id
        from burnish.data.masking import Mask
        from burnish.flows.load import load
        from burnish.flows.recording import Asked, Recorder
        from burnish.store.home import opened_home
        from burnish.store.records import Feedback

        with opened_home() as home:
            release = home.releases.find("intent")
            predictor = load(home.bundles.get(release.digest))
            role = "review" if is_reviewed else "feedback"
            keys = [home.keys.create(f"user {number}", [role], "benchmark")[0].id for number in range(N_USERS)]
            recorder = Recorder(home, Mask.of(), "masked").knowing(predictor)
            task, knowledge = predictor.task, predictor.knowledge
            answered = predictor.answer([task.read({"text": text}, is_labelled=False) for text, _ in rows])
            decoded = task.decode(answered, knowledge.labels, knowledge.decision)
            records, said, n_wrong = [], [], 0
            for number, ((text, label), one, answer) in enumerate(zip(rows, answered, decoded, strict=True)):
                asked = Asked("intent", release.version, keys[number % N_USERS], (), time.perf_counter())
                record = recorder.record(asked, {"text": text}, one, answer.model_dump(mode="json"))
                is_wrong = number % N_USERS < share_wrong * N_USERS
                n_wrong += is_wrong
                word = self.draw.choice([other for other in self.labels if other != label]) if is_wrong else label
                about = (record.id, "intent", release.version, keys[number % N_USERS])
                records.append(record)
                said.append(Feedback(new_id("f"), time.time(), *about, "label", word))
            home.predictions.add(records)
            home.corrections.add(said, None, "")
        return n_wrong

    def retrained(self, name: str) -> tuple[Any, ...]:
        """One retraining, promoted when it passes."""
        from burnish.flows.promote import promote
        from burnish.flows.retrain import Retraining, retrain
        from burnish.store.home import opened_home

        settings = Retraining.model_validate(
            {"epochs": self.asked.epochs, "anchor": self.asked.anchor, "start_share": self.asked.start_share}
        )
        result = retrain("intent", self.asked.set, settings, listen=tell)
        made = result.release
        told = f"passed, learned from {len(result.taught.rows):,}, {result.taught.n_quarantined} put aside"
        if made.is_passed:
            promote(f"intent:{made.version}")
        else:
            assert result.verdict is not None
            told = "blocked: " + "; ".join(one.name for one in result.verdict.checks if not one.is_passed)
        with opened_home() as home:
            return (name, *self.scores(home.bundles.get(made.digest)), told)

    def scores(self, bundle: Path) -> list[float]:
        """Accuracy on all dev rows, on those of the untouched intents, and the same of test."""
        from burnish.bundle.predictor import load_predictor

        predictor, found = load_predictor(bundle), []
        for rows in (self.dev, self.test):
            answers = predictor.predict(text for text, _ in rows)
            right = [answer.label == label for answer, (_, label) in zip(answers, rows, strict=True)]
            own = [one for one, (_, label) in zip(right, rows, strict=True) if label in self.untouched]
            found += [sum(right) / len(right), sum(own) / len(own)]
        return found


def write(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("text", "label"), *rows])


def tell(event: object) -> None:
    text = getattr(event, "text", None)
    if text:
        print(time.strftime("%H:%M:%S"), text, flush=True)


if __name__ == "__main__":
    main()
