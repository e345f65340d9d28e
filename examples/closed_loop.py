"""The whole loop on one machine: release, serve, predict, correct, retrain, gate, promote, roll back.

    python examples/closed_loop.py runs/demo --train samples/support_en.csv --test samples/support_en_test.csv \\
        --later samples/support_en_later.csv

Everything goes through the program `burnish` and HTTP, as a team would do it. `--later` are texts that came after the
training, with the labels that people gave them: first they are asked, then the answers are corrected by them.
"""

from __future__ import annotations

import argparse
import csv
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

NAME = "support"
STEP_S = 600
"""Longest that one command may take."""
GATE_MISSED = 3


class Ended(NamedTuple):
    """How a command ended, and what it printed."""

    code: int
    out: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--later", type=Path, required=True)
    parser.add_argument("--text", default="text", help="column of the texts")
    parser.add_argument("--label", default="intent", help="column of the labels")
    asked = parser.parse_args()
    rows = list(csv.DictReader(asked.later.open(encoding="utf-8", newline="")))
    texts, labels = [row[asked.text] for row in rows], [row[asked.label] for row in rows]
    with tempfile.TemporaryDirectory(prefix="burnish-loop-") as home:
        os.environ["BURNISH_HOME"] = home
        tell_loop(asked, texts, labels)


def tell_loop(asked: argparse.Namespace, texts: list[str], labels: list[str]) -> None:
    rows = [f"data.train={asked.train.absolute()}", f"data.test={asked.test.absolute()}"]
    step(1, "Release: the bundle becomes version 1, and its test rows are frozen")
    burnish("release", str(asked.bundle), *rows, "--name", NAME, "--why", "first version")
    burnish("promote", f"{NAME}:1")
    step(2, "Serve: on this machine only, and nobody without a key")
    with server() as port:
        key = (
            burnish("keys", "--create", "demo", "--role", "predict", "--role", "feedback").out.strip().splitlines()[-1]
        )
        client = Client(port, key)
        step(3, "Predict over HTTP: every answer has an id")
        answers = client.predict(texts)
        for text, answer in list(zip(texts, answers, strict=True))[:3]:
            print(f"    {answer['label']:<18} {answer['confidence']:.2f}  {text}\n    {answer['prediction_id']}")
        tell_right(answers, labels, 1)
        step(4, "Correct: what people say of the answers comes back to them")
        for answer, label in zip(answers, labels, strict=True):
            client.correct(answer["prediction_id"], label)
        print(f"    {len(labels)} answers judged by a person, {wrong(answers, labels)} of them corrected")
        step(5, "Retrain from version 1 on the old rows and the corrections; the gate holds the result against it")
        is_passed = burnish("retrain", NAME, allowed=(0, GATE_MISSED)).code == 0
        if not is_passed:
            print("    the gate holds it back and says why; to show the rest, it is promoted by force here")
        step(6, "Promote: the server follows within a second")
        how = ["--why", "passed the gate"] if is_passed else ["--force", "--why", "to show the rest of the loop"]
        burnish("promote", f"{NAME}:2", *how)
        after = client.predict_by(texts, version=2)
        tell_right(after, labels, 2)
        step(7, "Roll back: and forward again whenever you like")
        started = time.monotonic()
        burnish("rollback", NAME, "--why", "to show that it can be done")
        client.predict_by(texts[:1], version=1)
        print(f"    version 1 answers again, {time.monotonic() - started:.1f} s after the command was typed")
        step(8, "Everything that was done is in a log that cannot be changed unseen")
        burnish("releases")
        burnish("audit", "--last", "5")


def step(number: int, sentence: str) -> None:
    print(f"\n[{number}] {sentence}", flush=True)


def wrong(answers: list[dict[str, Any]], labels: list[str]) -> int:
    return sum(answer["label"] != label for answer, label in zip(answers, labels, strict=True))


def tell_right(answers: list[dict[str, Any]], labels: list[str], version: int) -> None:
    n_right = len(labels) - wrong(answers, labels)
    print(f"    version {version} gets {n_right} of {len(labels)} later texts right", flush=True)


def burnish(*words: str, allowed: tuple[int, ...] = (0,)) -> Ended:
    """Run one command, show what it prints, and give back what it printed on stdout."""
    print(f"    $ burnish {' '.join(words)}", flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "burnish", *words], capture_output=True, text=True, timeout=STEP_S, check=False
    )
    shown = done.stdout if words[0] != "keys" else "bk_…  (a key, shown once)\n"
    for line in (done.stderr + shown).splitlines():
        print(f"      {line}", flush=True)
    if done.returncode not in allowed:
        sys.exit(f"burnish {words[0]} ended with exit code {done.returncode}")
    return Ended(done.returncode, done.stdout)


@contextmanager
def server() -> Iterator[int]:
    """`burnish serve`, on a free port, until the block ends."""
    print(f"    $ burnish serve {NAME} --port 0", flush=True)
    command = [sys.executable, "-m", "burnish", "serve", NAME, "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        port = 0
        for line in process.stderr:
            told = json.loads(line) if line.startswith("{") else {"message": line.strip()}
            if "url" in told:
                port = int(told["url"].rsplit(":", 1)[1])
                print(f"      listening at {told['url']}", flush=True)
            if told["message"] == "ready":
                break
        if not port:
            sys.exit("the server did not start")
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


class Client:
    """A few lines that any HTTP library would do as well."""

    def __init__(self, port: int, key: str) -> None:
        self.port = port
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def predict(self, texts: list[str]) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.post(f"/v1/models/{NAME}/predict", {"inputs": texts})["predictions"]
        return found

    def predict_by(self, texts: list[str], version: int) -> list[dict[str, Any]]:
        """Answers of a version, once it answers."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            told = self.post(f"/v1/models/{NAME}/predict", {"inputs": texts})
            if told["version"] == version:
                found: list[dict[str, Any]] = told["predictions"]
                return found
            time.sleep(0.05)
        sys.exit(f"version {version} did not come")

    def correct(self, identity: str, label: str) -> None:
        self.post("/v1/feedback", {"prediction_id": identity, "label": label})

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        until = time.monotonic() + 5
        while True:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
            connection.request("POST", path, json.dumps(body), self.headers)
            response = connection.getresponse()
            told: dict[str, Any] = json.loads(response.read())
            connection.close()
            if response.status == 200:
                return told
            if response.status != 401 or time.monotonic() > until:  # a new key is known within a second
                sys.exit(f"{path}: {response.status} {told['detail']}")
            time.sleep(0.1)


if __name__ == "__main__":
    main()
