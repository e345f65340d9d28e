"""The shipped default is safe (asserted of a real process): this machine only, keys, no pages, nothing kept or sent."""

import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from burnish.core.settings import Settings
from burnish.serving.limits import Limits
from burnish.serving.serving import Serving

WATCHED = """
import socket, sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.bind"):
        sys.stderr.write(f"AUDIT {event} {arguments[1:] if event != 'socket.getaddrinfo' else arguments}\\n")
        sys.stderr.flush()
sys.addaudithook(watch)
from burnish.cli.main import main
main(["serve", "intent", "--port", "0"])
"""


class Default:
    """`burnish serve intent` with nothing set but where the installation is, watched for what it connects to."""

    def __init__(self, folder):
        own = {"PATH": "/usr/bin:/bin", "HOME": str(folder.parent), "BURNISH_HOME": str(folder), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", WATCHED]
        self.process = subprocess.Popen(command, env=own, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = []
        self.url = json.loads(self.line_with('"listening"'))["url"]
        self.line_with('"ready"')

    def line_with(self, text):
        for line in self.process.stderr:
            self.lines.append(line)
            if text in line:
                return line
        raise AssertionError("".join(self.lines))

    def ask(self, path, method="GET", **headers):
        try:
            with urllib.request.urlopen(
                urllib.request.Request(self.url + path, method=method, headers=headers), timeout=10
            ) as found:
                return found.status, dict(found.headers), found.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read().decode()

    def end(self):
        self.process.terminate()
        _, rest = self.process.communicate(timeout=30)
        self.lines += rest.splitlines(keepends=True)
        return self.process.returncode


@pytest.fixture(scope="module")
def default(made_house, tmp_path_factory):
    import shutil

    folder = tmp_path_factory.mktemp("default") / "home"
    shutil.copytree(made_house[0], folder)
    server = Default(folder)
    yield server
    if server.process.poll() is None:
        server.end()


def test_it_listens_on_the_loopback_address_only(default):
    binds = [line for line in default.lines if line.startswith("AUDIT socket.bind")]
    assert binds == ["AUDIT socket.bind (('127.0.0.1', 0),)\n"]
    port = int(default.url.rsplit(":", 1)[1])
    others = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), port, type=socket.SOCK_STREAM)}
    for address in others - {"127.0.0.1", "::1"}:
        with pytest.raises(ConnectionRefusedError), socket.create_connection((address, port), timeout=2):
            pass


@pytest.mark.parametrize("path", ["/v1/models", "/v1/keys", "/metrics", "/v1/audit", "/v2", "/v1/jobs"])
def test_without_a_key_nothing_is_told(default, path):
    status, _, told = default.ask(path)
    assert (status, "intent" in told) == (401, False)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/docs/oauth2-redirect", "/", "/static/x.js"])
def test_there_are_no_pages(default, path):
    assert default.ask(path)[0] == 404


def test_no_other_site_may_read_anything_or_put_it_into_a_frame(default):
    for method in ("GET", "OPTIONS"):
        _, headers, _ = default.ask(
            "/health/live", method, **{"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"}
        )
        assert not [name for name in headers if name.lower().startswith("access-control")]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


def test_no_answer_is_made_of_the_host_that_somebody_says(default):
    for path in ("/openapi.json", "/v1/models/", "/nowhere"):
        _, headers, told = default.ask(path, **{"Host": "evil.example", "X-Forwarded-Host": "evil.example"})
        assert "evil.example" not in told + str(headers)
        assert "location" not in {name.lower() for name in headers}
    assert "server" not in {name.lower() for name in default.ask("/health/live")[1]}


def test_it_connects_to_nothing_and_sends_nothing_and_ends_by_itself(default):
    default.ask("/health/ready")
    assert default.end() == 0
    asked = [line for line in default.lines if re.match(r"AUDIT socket\.(connect|sendto|getaddrinfo|gethost)", line)]
    assert asked == []
    assert [line for line in default.lines if not line.startswith(("AUDIT", "{"))] == []


def test_settings_that_are_not_set_keep_no_text_with_personal_data(monkeypatch):
    for name in Settings.model_fields:
        monkeypatch.delenv(f"BURNISH_{name.upper()}", raising=False)
    own, serving = Settings(), Serving(models=["intent"])
    assert (own.store_inputs, own.retention_days) == ("masked", 90)
    assert (serving.host, serving.workers, serving.limits) == ("127.0.0.1", 1, Limits())
    limits = Limits()
    assert (limits.body_bytes, limits.json_depth, limits.inputs) == (1 << 20, 16, 1000)
    assert (limits.header_s, limits.body_s, limits.timeout_s) == (10, 30, 30)
