"""The whole loop as one story: a model is fitted, released, served, corrected, retrained, promoted and rolled back."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest
from tests.flows.conftest import mood_rows, sentiment_rows

import burnish
from burnish.bundle.bundle import open_bundle
from burnish.core.files import read_json
from burnish.evaluation.promotion import Policy
from burnish.flows.promote import promote, rollback
from burnish.flows.release import release
from burnish.flows.retrain import Retraining, retrain

LAX = Policy(most_times_slower=1000)
"""How long an answer takes on a machine with other work decides nothing here."""
PATIENCE_S = 60


class Server:
    """`burnish serve` as a process of its own, on a free port."""

    def __init__(self, folder):
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            command = [sys.executable, "-m", "burnish", "serve", "intent", "--port", "0"]
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, env=dict(os.environ))
        self.admin = self.process.stdout.readline().decode().strip()
        self.url = wait_for(
            lambda: next((line["url"] for line in self.lines() if line["message"] == "listening"), None)
        )
        wait_for(lambda: any(line["message"] == "ready" for line in self.lines()))

    def lines(self):
        assert self.process.poll() is None, self.log.read_text("utf-8")
        told = self.log.read_text("utf-8").splitlines()
        return [json.loads(line) for line in told if line.startswith("{") and line.endswith("}")]

    def ask(self, path, key, body):
        request = urllib.request.Request(
            f"{self.url}{path}",
            json.dumps(body).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return json.loads(answer.read())

    def predict(self, texts, key):
        return self.ask("/v1/models/intent/predict", key, {"inputs": texts})

    def version(self, key):
        return self.predict(["good day"], key)["version"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        out, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out


def wait_for(found):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if value := found():
            return value
        time.sleep(0.05)
    raise AssertionError("it never came")


def chinese(n, seed):
    return [(text, label) for text, label in mood_rows(2 * n, seed) if not text.isascii()]


def accuracy(answers, rows):
    return sum(one["label"] == label for one, (_, label) in zip(answers, rows, strict=True)) / len(rows)


@pytest.mark.usefixtures("steady")
def test_the_loop_is_closed(moods, new_home, tmp_path):
    # A model that tells good from bad in English was fitted and judged, on texts in both languages.
    assert read_json(moods / "bundle" / "report" / "report.json")["scores"]["accuracy"] == pytest.approx(0.75, abs=0.1)

    # It is released, and nothing answers yet; then it is promoted.
    assert release(moods / "bundle", "intent", why="the first").is_good
    assert [one.alias for one in new_home.releases.aliases()] == ["candidate"]
    assert promote("intent@candidate").version == 1

    # It is served; the first start shows an admin key, which makes a key for an application.
    server = Server(tmp_path)
    try:
        admin = server.admin
        app = server.ask("/v1/keys", admin, {"owner": "app", "roles": ["predict", "feedback"]})["key"]
        assert accuracy(server.predict([text for text, _ in sentiment_rows(20, seed=5)], app)["predictions"],
                        sentiment_rows(20, seed=5)) == 1  # fmt: skip

        # Chinese is new to it, and users say what is right.
        asked = chinese(80, seed=9)
        first = server.predict([text for text, _ in asked], app)
        assert first["version"] == 1
        assert accuracy(first["predictions"], asked) < 0.8
        for one, (_, label) in zip(first["predictions"], asked, strict=True):
            said = server.ask("/v1/feedback", app, {"prediction_id": one["prediction_id"], "label": label})
            assert said["state"] == "accepted"

        # What they said is learned, judged on the frozen rows and on what was kept back, and is a candidate.
        result = retrain("intent", [], Retraining(epochs=3, policy=LAX))
        assert (result.release.version, result.release.parent) == (2, 1)
        assert result.verdict.is_passed, result.verdict
        assert result.verdict.is_better
        assert (len(result.taught.rows) + len(result.taught.held_out), result.taught.n_quarantined) == (80, 0)
        assert server.version(app) == 1

        # It is promoted, and the same server answers with it within a moment.
        promote("intent@candidate", why="it understands Chinese")
        wait_for(lambda: server.version(app) == 2)
        fresh = chinese(40, seed=12)
        second = server.predict([text for text, _ in fresh], app)
        assert (second["version"], accuracy(second["predictions"], fresh) > 0.9) == (2, True)

        # And there is a way back.
        assert rollback("intent", why="just to see").version == 1
        wait_for(lambda: server.version(app) == 1)
    finally:
        code, out = server.stop()
    assert (code, out) == (0, b"")

    # Everything can be told afterwards: who did what, and from what each version was made.
    assert new_home.audit.fault() is None
    told = [one.what for one in new_home.audit.entries()]
    assert [what for what in told if what in ("release", "promote", "rollback")] == [
        "release", "promote", "release", "promote", "rollback",
    ]  # fmt: skip
    made = open_bundle(new_home.bundles.get(new_home.releases.find("intent:2").digest))
    assert burnish.load(made.folder)("好上海").label == "good"
