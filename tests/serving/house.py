"""A tiny installation with released versions and a key of each role; one is made a session, tests get copies of it."""

from __future__ import annotations

import io
import json
import shutil
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.testclient import TestClient

from burnish.core.manifest import write_manifest
from burnish.core.settings import Settings
from burnish.serving.http.app import make_app
from burnish.serving.limits import Limits
from burnish.serving.log import Log
from burnish.serving.service import Service
from burnish.serving.serving import Serving
from burnish.store.home import Home, open_home
from burnish.store.records import Release

ROLES = ("predict", "feedback", "review", "release", "admin")
NAME = "intent"


@dataclass
class House:
    """A copy of the installation, and what was made of it."""

    folder: Path
    keys: dict[str, str]
    """Role → a key that has it alone; `expired`, `revoked`, `both` (predict and feedback) and `twin` (the same)."""
    home: Home = field(init=False)
    log: io.StringIO = field(default_factory=io.StringIO)
    own: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.keys = dict(self.keys)  # tests add their own
        self.home = open_home(self.settings)

    @property
    def settings(self):
        return Settings(**{"home": str(self.folder), "database": "", "bundles": "", **self.own})

    @contextmanager
    def service(self, *models, most_loaded=0, shared=None, **limits):
        serving = Serving(models=list(models) or [NAME], most_loaded=most_loaded, limits=Limits(**limits))
        service = Service(self.home, serving, self.settings, Log(self.log), shared)
        try:
            service.start()
            yield service
        finally:
            service.stop()

    @contextmanager
    def client(self, *models, **how):
        """HTTP without a network, as the role `both` unless a request says else."""
        with self.service(*models, **how) as service, TestClient(make_app(service)) as client:
            client.headers["Authorization"] = f"Bearer {self.keys['both']}"
            client.service = service
            yield client

    def as_role(self, role):
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def lines(self):
        """What was logged."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def twin_of(bundle, folder):
    """The same bundle with another line in its README: the same answers, and another digest."""
    shutil.copytree(bundle, folder)
    with (folder / "README.md").open("a") as file:
        file.write(f"\n{folder.name}\n")
    write_manifest(folder)
    return folder


def broken_of(bundle, folder):
    """A bundle whose files are as its manifest says, and whose state no version can read."""
    shutil.copytree(bundle, folder)
    state = json.loads((folder / "burnish.json").read_text())
    (folder / "burnish.json").write_text(json.dumps({**state, "labels": 5}))
    write_manifest(folder)
    return folder


def released(home, bundle, name=NAME, task="classification"):
    """A bundle as the next version of a name."""
    made = Release(name, 0, home.bundles.put(bundle), task, time.time(), "user test", recipe="task: classification\n")
    return home.releases.register(made)


def make_keys(home):
    keys = {role: home.keys.create(role, [role], "user test")[1] for role in ROLES}
    for name in ("both", "twin"):
        keys[name] = home.keys.create(name, ["predict", "feedback"], "user test")[1]
    keys["narrow"] = home.keys.create("narrow", ["predict", "review"], "user test", models=("other",))[1]
    keys["expired"] = home.keys.create("late", ["admin"], "user test", expires_at=time.time() - 1)[1]
    revoked, keys["revoked"] = home.keys.create("gone", ["admin"], "user test")
    home.keys.revoke(revoked.id, "user test")
    return keys


def wait_until(is_so, seconds=5.0):
    """Wait for something that another thread does.

    Raises:
        TimeoutError: it did not come about.
    """
    until = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > until:
            raise TimeoutError(f"it did not come about in {seconds} s")
        time.sleep(0.01)


async def ask(app, method, path, body=None, query="", **headers):
    """One request as the server's protocol hands it over, its path decoded once and otherwise as it came."""
    told = [
        (b"host", b"localhost"),
        *((name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()),
    ]
    scope = {
        "type": "http", "method": method, "path": unquote(path), "raw_path": path.encode(), "headers": told,
        "query_string": query.encode(), "http_version": "1.1", "scheme": "http", "root_path": "", "client": None,
        "server": None, "state": {},
    }  # fmt: skip
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"" if body is None else json.dumps(body).encode(), "more_body": False}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent).decode()


class Held(NamedTuple):
    """A model that does not begin before `go` is set: what comes meanwhile waits."""

    go: threading.Event
    has_begun: threading.Event
    batches: list[list[dict[str, Any]]]
    """The rows of each batch that it was given."""


def held(served):
    """Let a version in service wait until it may go."""
    found, real = Held(threading.Event(), threading.Event(), []), served.lane.process

    def slow(batch):
        found.batches.append([row for work in batch for row in work.about.asked.rows])
        found.has_begun.set()
        assert found.go.wait(10)
        return real(batch)

    served.lane.process = slow
    return found


def without_id(item):
    """An answer without the id of its own."""
    return {name: value for name, value in item.items() if name != "prediction_id"}
