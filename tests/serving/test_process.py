"""A real server process: its first start, its end, its workers; and what it promises while somebody asks."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter

import pytest
from tests.serving.house import NAME, wait_until

PREDICT = f"/v1/models/{NAME}/predict"


class Server:
    """`burnish serve` in a process of its own."""

    def __init__(self, house, *options, ready=1):
        self.house, self.out, self.lines = house, [], []
        own = {**os.environ, "BURNISH_HOME": str(house.folder), "OMP_NUM_THREADS": "1"}
        for name in ("DATABASE", "BUNDLES", "SECRET", "STORE_INPUTS"):
            own.pop(f"BURNISH_{name}", None)
        own.update(house.own and {f"BURNISH_{name.upper()}": value for name, value in house.own.items()})
        command = [sys.executable, "-m", "burnish", "serve", NAME, "--port", "0", *options]
        self.process = subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for stream, lines in ((self.process.stdout, self.out), (self.process.stderr, self.lines)):
            threading.Thread(target=self._read, args=(stream, lines), daemon=True).start()
        self.wait_for("ready", ready)
        self.url = self.told("listening")[0]["url"]

    @staticmethod
    def _read(stream, lines):
        for line in stream:
            lines.append(line.decode())

    def told(self, message):
        """The lines of the log with this message."""
        found = [json.loads(line) for line in self.lines if line.startswith("{")]
        return [line for line in found if line["message"] == message]

    def wait_for(self, message, n=1):
        def is_there():
            assert self.process.poll() is None, "".join(self.lines)
            return len(self.told(message)) >= n

        wait_until(is_there, 120)

    def ask(self, path=PREDICT, body=None, role="both", timeout=20):
        """Status and body; `refused` where nobody listened, None where the connection was taken and not answered."""
        headers = {**self.house.as_role(role), "content-type": "application/json", "connection": "close"}
        content = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(self.url + path, content, headers)
            with urllib.request.urlopen(request, timeout=timeout) as found:
                return found.status, json.loads(found.read())
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or b"null")
        except urllib.error.URLError as error:
            return "refused" if isinstance(error.reason, ConnectionRefusedError) else None, None
        except OSError:
            return None, None

    def predict(self, text="good day"):
        return self.ask(body={"inputs": text})

    def end(self, sig=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
            self.process.stdout.close()
            self.process.stderr.close()


@pytest.fixture
def serve():
    """`serve(house, "--workers", "2")`: servers that are ended with the test."""
    servers = []

    def start(house, *options, **how):
        servers.append(Server(house, *options, **how))
        return servers[-1]

    yield start
    for server in servers:
        server.end(signal.SIGKILL)


class Load:
    """Clients that ask without a pause; every answer is counted."""

    def __init__(self, server, n_clients=4):
        self.found, self.stopped = [], threading.Event()
        self.threads = [threading.Thread(target=self._ask, args=[server]) for _ in range(n_clients)]
        for thread in self.threads:
            thread.start()

    def _ask(self, server):
        while not self.stopped.is_set():
            status, told = server.predict()
            self.found.append((time.monotonic(), status, told and told.get("version")))
            if status == "refused":
                time.sleep(0.005)

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()
        return Counter(status for _, status, _ in self.found)


def run(house, *words):
    own = {**os.environ, "BURNISH_HOME": str(house.folder)}
    return subprocess.run(
        [sys.executable, "-m", "burnish", *words], env=own, capture_output=True, text=True, timeout=120
    )


@pytest.fixture
def keyless(house):
    """An installation without keys, as it is before its first start."""
    from burnish.store.tables import keys

    with house.home.store.writing() as connection:
        connection.execute(keys.delete())
    return house


def test_a_first_start_prints_an_admin_key_once_and_a_signal_drains(keyless, serve):
    server = serve(keyless, "--limit", "drain_s=1")
    [key] = [line.strip() for line in server.out]
    assert key.startswith("bk_")
    assert "This is the admin key. It is shown once" in "".join(server.lines)
    keyless.keys["admin"] = keyless.keys["both"] = key
    assert server.ask("/v1/keys", role="admin")[0] == 200

    second = run(keyless, "serve", NAME, "--port", "0")
    assert second.returncode == 2
    assert "another server uses this database" in second.stderr
    assert second.stdout == ""  # there is a key now

    load = Load(server, 3)
    wait_until(lambda: len(load.found) > 20, 30)
    server.process.terminate()
    wait_until(lambda: server.ask("/health/ready")[0] == 503, 5)
    n_before = len(load.found)
    wait_until(lambda: len(load.found) > n_before, 5)  # it is not ready, and answers all the same
    assert server.process.wait(60) == 0
    counts = load.stop()
    assert counts.keys() == {200, "refused"}
    assert server.told("stopped")
    assert all(line.startswith("{") or "admin key" in line for line in server.lines)
    n_kept = sum(1 for _ in keyless.home.predictions.of_period(NAME))
    assert n_kept >= counts[200]  # each answer that was given is in the store


@pytest.mark.slow
def test_slow_clients_are_cut_and_others_answered(house, serve):
    import socket

    server = serve(house, "--limit", "header_s=1", "--limit", "body_s=1")
    host, port = server.url.removeprefix("http://").split(":")
    slow = [socket.create_connection((host, int(port))) for _ in range(200)]
    for at, one in enumerate(slow):
        one.sendall(
            b"POST / HTTP/1.1\r\nhost" if at % 2 else b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n1"
        )
    started = time.monotonic()
    assert {server.predict()[0] for _ in range(20)} == {200}
    for one in slow:
        one.settimeout(10)
        while one.recv(4096):
            pass
        one.close()
    assert time.monotonic() - started < 10


@pytest.mark.slow
def test_versions_change_under_load_without_a_failed_request_and_back_within_a_second(house, serve):
    server = serve(house)
    load = Load(server)
    for version in (2, 1) * 5:
        at = time.monotonic()
        if version == 2 and house.home.releases.find("intent").version == 1:
            house.home.releases.promote(NAME, 2, "user test")
        else:
            house.home.releases.roll_back(NAME, "user test")
        wait_until(lambda version=version: server.predict()[1]["version"] == version, 5)
        assert time.monotonic() - at < (5 if version == 2 and len(load.found) < 50 else 1.5)
    assert load.stop().keys() == {200}
    assert {version for _, _, version in load.found} == {1, 2}


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_only_what_it_was_at_is_lost(house, serve):
    server = serve(house, "--workers", "2", ready=2)
    load = Load(server, 4)
    wait_until(lambda: len(load.found) > 50, 30)
    killed = server.told("ready")[0]["process"]
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: len(server.told("ready")) >= 3, 60)
    assert server.told("a worker died") == [
        {**server.told("a worker died")[0], "process": killed, "code": -signal.SIGKILL}
    ]
    counts = load.stop()
    assert counts[None] <= 4
    assert counts.keys() <= {200, None}
    assert server.end() == 0
    assert len(server.told("stopped")) == 2


@pytest.mark.slow
def test_workers_share_limits_numbers_and_keys(house, serve):
    text = house.home.keys.create("ann", ["predict"], "user test", per_minute=40)[1]
    made = house.home.keys.create("bob", ["predict"], "user test")
    house.keys |= {"limited": text, "bob": made[1]}
    server = serve(house, "--workers", "2", ready=2)
    found = Counter(server.ask(body={"inputs": "a"}, role="limited")[0] for _ in range(80))
    assert 40 <= found[200] <= 45  # some fill up while they are asked
    assert found[429] == 80 - found[200]
    request = urllib.request.Request(server.url + "/metrics", headers=house.as_role("admin"))
    told = urllib.request.urlopen(request, timeout=10).read().decode()
    assert f'burnish_inputs_total{{name="intent",traffic="live",version="1"}} {float(found[200])}' in told
    assert {server.ask(body={"inputs": "a"}, role="bob")[0] for _ in range(10)} == {200}
    house.home.keys.revoke(made[0].id, "user test")
    time.sleep(1)
    assert {server.ask(body={"inputs": "a"}, role="bob")[0] for _ in range(10)} == {401}


@pytest.mark.slow
def test_a_second_signal_ends_at_once_whatever_is_still_asked(house, serve):
    server = serve(house, "--limit", "drain_s=60")
    server.process.terminate()
    wait_until(lambda: server.ask("/health/ready")[0] == 503, 5)
    started = time.monotonic()
    assert server.end() == -signal.SIGTERM
    assert time.monotonic() - started < 3


@pytest.mark.slow
def test_workers_end_with_whoever_started_them(house, serve):
    server = serve(house, "--workers", "2", ready=2)
    workers = [line["process"] for line in server.told("ready")]
    server.process.kill()
    wait_until(lambda: not [one for one in workers if os.path.exists(f"/proc/{one}")], 30)
    server.process.wait(10)


@pytest.mark.slow
def test_a_port_that_is_taken_is_told_in_one_sentence(make_house, serve):
    server = serve(make_house())
    port = server.url.rsplit(":", 1)[1]
    ended = run(make_house(), "serve", NAME, "--port", port)
    assert ended.returncode == 2
    assert ended.stderr.strip().splitlines()[-1].startswith(f"cannot listen at 127.0.0.1:{port} (")


@pytest.mark.slow
def test_a_burst_of_a_thousand_loses_nothing_silently(house, serve):
    server = serve(house, "--limit", "waiting=20")
    found = []
    threads = [threading.Thread(target=lambda: found.append(server.predict())) for _ in range(300)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(status for status, _ in found)
    assert counts.keys() <= {200, 503}
    assert counts[200] >= 20
