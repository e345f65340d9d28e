"""Text that is told while it is written: what becomes of it when somebody leaves, and what others wait."""

import asyncio
import json
import threading

import pytest
from tests.serving.house import wait_until

CHAT = "/v1/chat/completions"


@pytest.fixture
def served(everything):
    """The version that writes."""
    fleet = everything.service.fleet
    return fleet.loaded(fleet.routing("chat").main)


class Listener:
    """A client of a stream, who may leave."""

    disconnected = False

    def __init__(self, client, text="3 is good"):
        body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": text}]}
        headers = {"authorization": client.headers["authorization"], "content-type": "application/json"}
        self.scope = {
            "type": "http", "method": "POST", "path": CHAT, "raw_path": CHAT.encode(), "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()], "state": {},
            "burnish.cycle": self, "root_path": "", "http_version": "1.1", "scheme": "http", "server": None,
        }  # fmt: skip
        self.body, self.heard, self.app = json.dumps(body).encode(), [], client.app

    async def receive(self):
        return {"type": "http.request", "body": self.body, "more_body": False}

    async def send(self, message):
        self.heard.append(message.get("body", b""))
        if len(self.heard) == 2:
            self.disconnected = True

    async def listen(self):
        await asyncio.wait_for(self.app(self.scope, self.receive, self.send), 10)


def test_whoever_leaves_stops_the_writing_and_what_was_written_is_kept(everything, served, monkeypatch):
    n_told = []

    def endless(feature):
        for number in range(10_000):
            n_told.append(number)
            yield f"{number} "

    monkeypatch.setattr(served.predictor.core, "stream", endless)
    listener = Listener(everything)
    asyncio.run(listener.listen())
    wait_until(lambda: served.lane.n_waiting == 0)
    first = json.loads(listener.heard[1].removeprefix(b"data: "))
    identity = first["id"]
    wait_until(lambda: everything.get(f"/v1/predictions/{identity}").status_code == 200)
    kept = everything.get(f"/v1/predictions/{identity}").json()["answer"]["text"]
    written = "".join(f"{number} " for number in n_told)
    assert kept.startswith(first["choices"][0]["delta"]["content"])  # all that was heard
    assert written.startswith(kept)
    assert len(n_told) < 10_000


def test_a_fault_in_the_middle_cuts_the_stream_and_the_log_says_where(everything, served, all_house, monkeypatch):

    def failing(feature):
        yield "so "
        raise ZeroDivisionError("with the client's text")

    monkeypatch.setattr(served.predictor.core, "stream", failing)
    body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    found = everything.post(CHAT, json=body)
    assert "so " in found.text
    assert "[DONE]" not in found.text
    [line] = [line for line in all_house.lines() if line["message"] == "This is a bug"]
    assert (line["kind"], line["route"]) == ("ZeroDivisionError", CHAT)
    assert "client's text" not in all_house.log.getvalue()


def test_a_model_that_cannot_be_told_piece_by_piece_says_so_before_the_stream_begins(everything, served, monkeypatch):
    from burnish.core.errors import UserError

    def refusing(feature):
        raise UserError("task.decoding.num_beams: with 4 beams the text is settled at its end only.")
        yield

    monkeypatch.setattr(served.predictor.core, "stream", refusing)
    body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    found = everything.post(CHAT, json=body)
    assert (found.status_code, found.json()["detail"]) == (
        422, "task.decoding.num_beams: with 4 beams the text is settled at its end only.",
    )  # fmt: skip


def test_a_text_that_is_written_holds_up_no_other_route(everything, served, monkeypatch):
    go = threading.Event()

    def waiting(feature):
        yield "so "
        assert go.wait(10)
        yield "bad"

    monkeypatch.setattr(served.predictor.core, "stream", waiting)
    body = {"model": "chat", "stream": True, "messages": [{"role": "user", "content": "x"}]}
    found = []
    thread = threading.Thread(target=lambda: found.append(everything.post(CHAT, json=body)))
    thread.start()
    try:
        for _ in range(12):  # more than there are threads for what may block
            assert everything.post("/v1/models/intent/predict", json={"inputs": "good"}).status_code == 200
            assert everything.get("/v1/predictions/p_none").status_code == 404
    finally:
        go.set()
        thread.join(10)
    assert "bad" in found[0].text
