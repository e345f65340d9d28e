"""A webhook on a real server: signed, tried again, given up, never followed elsewhere."""

import base64
import hashlib
import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.monitoring.made import NOON, alert

from burnish.core.errors import UserError
from burnish.monitoring.sinks import webhook
from burnish.monitoring.sinks._contract import NotDelivered
from burnish.monitoring.sinks.webhook import Webhook

SECRET = "a secret of 密钥"


@pytest.fixture
def server():
    """Answers with the next of `statuses` and keeps what it was sent."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.server.received.append((dict(self.headers), body))
            self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as made:
        made.received, made.statuses = [], []
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        yield made
        made.shutdown()
        thread.join(5)


@pytest.fixture
def waits(monkeypatch):
    monkeypatch.setenv("BURNISH_WEBHOOK_SECRET", SECRET)
    slept = []
    monkeypatch.setattr(webhook.time, "sleep", slept.append)
    return slept


def to(server, **fields):
    port = server.server_port
    return Webhook(**{"url": f"http://127.0.0.1:{port}/hook", "ports": (port,), "allow_private": True, **fields})


def test_an_alert_arrives_with_a_signature_that_its_receiver_can_check(server, waits):
    to(server).send(alert(sentence="远了。"))
    headers, body = server.received[0]
    signed = f"{headers['Burnish-Id']}.{headers['Burnish-Timestamp']}.".encode() + body
    wanted = base64.b64encode(hmac.new(SECRET.encode(), signed, hashlib.sha256).digest()).decode()
    assert headers["Burnish-Signature"] == f"v1,{wanted}"
    assert headers["Content-Type"] == "application/json"
    told = json.loads(body)
    assert (told["id"], told["type"]) == ("alert_1_open", "alert.open")
    assert told["alert"]["sentence"] == "远了。"
    assert told["alert"]["at"] == NOON


def test_it_is_tried_again_with_the_same_id_until_it_is_taken(server, waits):
    server.statuses[:] = [503, 429, 500]
    to(server).send(alert())
    assert {headers["Burnish-Id"] for headers, _ in server.received} == {"alert_1_open"}
    assert len(server.received) == 4
    assert waits == [1.0, 2.0, 4.0]


def test_what_is_resolved_is_another_delivery(server, waits):
    to(server).send(alert(state="resolved", changed_at=NOON))
    headers, body = server.received[0]
    assert headers["Burnish-Id"] == "alert_1_resolved"
    assert json.loads(body)["type"] == "alert.resolved"


def test_after_all_tries_it_says_that_it_did_not_arrive(server, waits):
    server.statuses[:] = [500] * 9
    with pytest.raises(
        NotDelivered, match=r"the alert alert_1 was not delivered: http://127\.0\.0\.1:\d+: answered 500\."
    ):
        to(server, n_tries=3, wait_s=20).send(alert())
    assert len(server.received) == 3
    assert waits == [20, 30.0]  # never longer than half a minute


def test_what_will_not_pass_is_not_tried_again(server, waits):
    server.statuses[:] = [404]
    with pytest.raises(NotDelivered, match="answered 404"):
        to(server).send(alert())
    assert len(server.received) == 1


def test_a_redirect_is_told_and_not_followed(server, waits):
    server.statuses[:] = [307]
    with pytest.raises(NotDelivered, match="answered 307, a redirect, which is not followed"):
        to(server).send(alert())
    assert len(server.received) == 1


def test_a_server_that_is_away_is_tried_again(server, waits):
    url = "http://127.0.0.1:9/"
    with pytest.raises(NotDelivered, match=r"not delivered: http://127\.0\.0\.1:9: cannot be reached"):
        to(server, url=url, ports=(9,), n_tries=2).send(alert())
    assert len(waits) == 1


def test_the_own_network_is_refused_unless_it_is_meant(server, waits):
    with pytest.raises(
        UserError, match=r"stands for the address 127\.0\.0\.1, which is private, .* `allow_private: true`"
    ):
        to(server, allow_private=False).send(alert())
    assert server.received == []


def test_a_port_that_is_not_listed_is_refused(server, waits):
    with pytest.raises(UserError, match="which is not in its setting `ports`"):
        to(server, ports=(443,)).send(alert())


def test_without_a_secret_nothing_is_sent(server, waits, monkeypatch):
    monkeypatch.delenv("BURNISH_WEBHOOK_SECRET")
    with pytest.raises(
        UserError, match=r"the environment variable BURNISH_WEBHOOK_SECRET is not set; it must hold the secret"
    ):
        to(server).send(alert())
    assert server.received == []


def test_the_secret_may_be_in_another_variable(server, waits, monkeypatch):
    monkeypatch.setenv("OTHER", "another")
    for variable in ("OTHER", "BURNISH_WEBHOOK_SECRET"):
        to(server, secret_env=variable).send(alert())
    first, second = (headers["Burnish-Signature"] for headers, _ in server.received)
    assert first != second
    assert SECRET not in json.dumps(to(server, secret_env="OTHER").as_recipe())
