"""The wire: clients that are slow, that send what is no HTTP, or that leave."""

import asyncio
import json
import threading
import time
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from burnish.serving.http.app import make_app
from burnish.serving.http.protocol import MOST_HEAD_BYTES, NO_HTTP, protocol_with
from burnish.serving.http.turnstile import Turnstile

PREDICT = "/v1/models/intent/predict"


@pytest.fixture
def serve(house):
    """`serve(header_s=0.2)`: a server with such a limit."""
    with ExitStack() as stack:
        yield lambda **limits: stack.enter_context(house.client(**limits))


class Wire:
    """A server at a port of its own, and how to talk to it in bytes."""

    def __init__(self, client, state, port):
        self.key, self.state, self.port = client.headers["authorization"], state, port

    @asynccontextmanager
    async def connected(self):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            yield reader, writer
        finally:
            writer.close()

    def head(self, method="POST", path=PREDICT, **headers):
        lines = [f"{method} {path} HTTP/1.1", "host: x", f"authorization: {self.key}"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode()

    def whole(self, text="good day", **headers):
        body = json.dumps({"inputs": text}).encode()
        return self.head(content_length=len(body), **headers) + body

    async def say(self, content):
        """What comes back on a connection of its own until it is closed."""
        async with self.connected() as (reader, writer):
            writer.write(content)
            return await asyncio.wait_for(reader.read(), 10)


async def answer_in(reader):
    """Status and body of the next answer."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 10)).decode()
    size = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
    return int(head.split(" ")[1]), json.loads(await asyncio.wait_for(reader.readexactly(size), 10))


def scene(client, play):
    """Play something against a server on a port."""
    service = client.service

    async def run():
        app = make_app(service)
        bounded = protocol_with(service.limits, service.metrics, app.turnstile)
        config = uvicorn.Config(app, http=bounded, lifespan="off", log_config=None, ws="none", access_log=False)
        config.load()
        state = ServerState()
        server = await asyncio.get_running_loop().create_server(
            lambda: config.http_protocol_class(config=config, server_state=state, app_state={}), "127.0.0.1", 0
        )
        async with server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.wait_for(play(Wire(client, state, port)), 30)

    return asyncio.run(run())


def status_of(answer):
    return int(answer.split(b" ")[1]) if answer else None


def counted(client, status, route="none"):
    line = f'burnish_requests_total{{route="{route}",status="{status}"}} '
    told = [one for one in client.service.metrics.text().decode().splitlines() if one.startswith(line)]
    return float(told[0].split(" ")[-1]) if told else 0.0


def test_one_connection_is_answered_again_and_again(client):
    async def play(wire):
        async with wire.connected() as (reader, writer):
            found = []
            for text in ("good day", "bad day", "坏 day"):
                writer.write(wire.whole(text))
                found.append(await answer_in(reader))
            return found

    assert [status for status, _ in scene(client, play)] == [200, 200, 200]


@pytest.mark.parametrize(
    "bytes_before",
    [b"", b"G", b"POST / HTTP/1.1\r\nhost: x\r\n", b"\r\n"],
    ids=["none", "one", "headers", "empty_line"],
)
def test_a_head_that_does_not_come_is_cut_however_it_trickles(serve, bytes_before):
    client = serve(header_s=0.2)

    async def play(wire):
        async with wire.connected() as (reader, writer):
            started = time.monotonic()
            writer.write(bytes_before)
            reading = asyncio.create_task(reader.read())
            while not reading.done() and time.monotonic() - started < 5:
                await asyncio.sleep(0.02)
                if bytes_before:
                    writer.write(b"\r\n" if bytes_before == b"\r\n" else b"x: y\r\n" if len(bytes_before) > 1 else b"E")
            return time.monotonic() - started, await reading

    seconds, answer = scene(client, play)
    assert seconds < 3
    assert status_of(answer) in (408, 400)
    if status_of(answer) == 408:
        assert b'"detail":"the request did not arrive within 0.2 s."' in answer
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/problem+json\r\n")
        assert counted(client, 408) == 1


def test_empty_lines_after_an_answer_keep_no_connection_alive(serve):
    client = serve(header_s=0.2)

    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.whole())
            assert (await answer_in(reader))[0] == 200
            reading, started = asyncio.create_task(reader.read()), time.monotonic()
            while not reading.done() and time.monotonic() - started < 5:
                writer.write(b"\r\n")
                await asyncio.sleep(0.02)
            return time.monotonic() - started

    assert scene(client, play) < 3


def test_a_body_that_trickles_is_cut_and_counted(serve):
    client = serve(body_s=0.2)

    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.head(content_length=1000))
            reading, started = asyncio.create_task(reader.read()), time.monotonic()
            while not reading.done() and time.monotonic() - started < 5:
                writer.write(b" ")
                await asyncio.sleep(0.02)
            return time.monotonic() - started, await reading

    seconds, answer = scene(client, play)
    assert seconds < 3
    assert status_of(answer) == 408
    assert counted(client, 408, "/v1/models/{name}/predict") == 1


def test_many_slow_clients_hold_up_no_honest_one(serve):
    client = serve(header_s=0.3)

    async def play(wire):
        async def trickle():
            async with wire.connected() as (reader, writer):
                for letter in b"POST /v1/models/intent/predict HTTP/1.1\r\n" * 3:
                    writer.write(bytes([letter]))
                    await asyncio.sleep(0.01)
                    if reader.at_eof():
                        return

        slow = [asyncio.create_task(trickle()) for _ in range(50)]
        await asyncio.sleep(0.05)
        async with wire.connected() as (reader, writer):
            for _ in range(10):
                writer.write(wire.whole())
                assert (await answer_in(reader))[0] == 200
        until = time.monotonic() + 5
        while len(wire.state.connections) > 1 and time.monotonic() < until:
            await asyncio.sleep(0.02)
        left = len(wire.state.connections)
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return left

    assert scene(client, play) <= 1


def test_a_stream_of_lines_may_take_longer_than_a_body_as_long_as_lines_come(serve):
    client = serve(body_s=0.3)

    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.head(content_type="application/x-ndjson", transfer_encoding="chunked"))
            for _ in range(8):
                writer.write(b'7\r\n"good"\n\r\n')
                await asyncio.sleep(0.08)
            writer.write(b"0\r\n\r\n")
            answer = await asyncio.wait_for(reader.readuntil(b"0\r\n\r\n"), 5)
            writer.write(wire.head(content_type="application/x-ndjson", transfer_encoding="chunked"))
            writer.write(b'7\r\n"good"\n\r\n')
            started = time.monotonic()
            await asyncio.wait_for(reader.read(), 5)  # nothing more comes: it is cut
            return answer, time.monotonic() - started

    answer, seconds = scene(client, play)
    assert answer.count(b'"prediction_id"') == 8
    assert 0.2 < seconds < 3


@pytest.mark.parametrize(
    "content",
    [b"x: " + b"y" * 70_000, b"\r\n".join(b"x%d: y" % n for n in range(10_000)), b"\r\n" * 40_000],
    ids=["one_header", "many_headers", "empty_lines"],
)
def test_a_head_of_any_size_is_not_taken(client, content):
    async def play(wire):
        start = b"" if content.startswith(b"\r\n\r\n") else b"GET /health/live HTTP/1.1\r\nhost: x\r\n"
        async with wire.connected() as (reader, writer):
            for at in range(0, len(content), 8000):
                writer.write((start if at == 0 else b"") + content[at : at + 8000])
                await asyncio.sleep(0.001)
            return await asyncio.wait_for(reader.read(), 5)

    answer = scene(client, play)
    assert status_of(answer) == 431
    assert f"the request's head is larger than {MOST_HEAD_BYTES:,} bytes.".encode() in answer


def test_what_follows_a_body_in_pieces_is_bounded_too(client):
    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.head(transfer_encoding="chunked") + b"0\r\n")
            for _ in range(40):
                writer.write(b"x: " + b"y" * 4000 + b"\r\n")
                await asyncio.sleep(0.001)
            return await asyncio.wait_for(reader.read(), 5)

    assert status_of(scene(client, play)) in (400, 431)


def test_a_body_in_a_hundred_thousand_pieces_is_counted(serve):
    client = serve(body_bytes=100_000)

    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.head(transfer_encoding="chunked"))
            for _ in range(100):
                writer.write(b"1\r\n \r\n" * 1100)
                await asyncio.sleep(0)
            answer = await answer_in(reader)
            writer.write(b"0\r\n\r\n")
            return answer

    status, told = scene(client, play)
    assert (status, told["detail"]) == (413, "the body is larger than 100,000 bytes; send it in pieces.")


@pytest.mark.parametrize(
    "content",
    [
        b"nothing\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n",
        b"GE\x00T / HTTP/1.1\r\n\r\n", b"POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
        b"POST / HTTP/1.1\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", b"GET / HTTP/1.1\r\n bad: x\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_http_is_told_so(client, content):
    async def play(wire):
        return await wire.say(content)

    answer = scene(client, play)
    assert status_of(answer) == 400
    assert NO_HTTP.encode() in answer
    assert b"application/problem+json" in answer


def test_a_body_shorter_than_its_head_says_waits_for_the_rest_and_is_not_answered(serve):
    client = serve(body_s=0.2)

    async def play(wire):
        body = json.dumps({"inputs": "good"}).encode()
        async with wire.connected() as (reader, writer):
            writer.write(wire.head(content_length=len(body) + 5) + body)
            return await asyncio.wait_for(reader.read(), 5)

    assert status_of(scene(client, play)) == 408


def test_what_comes_behind_a_body_is_another_request(client):
    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.whole("good") + wire.whole("bad") + b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
            return [await answer_in(reader) for _ in range(3)]

    (first, one), (second, two), (third, live) = scene(client, play)
    assert (first, second, third, live) == (200, 200, 200, {"status": "live"})
    assert one["predictions"] != two["predictions"]


def test_a_client_who_leaves_before_its_turn_is_not_computed_and_counted_as_gone(client):
    served = client.service.fleet.loaded(client.service.fleet.routing("intent").main)
    computed, go, real = [], threading.Event(), served.lane.process

    def slow(batch):
        computed.extend(item["text"] for work in batch for item in work.items)
        assert go.wait(10)
        return real(batch)

    served.lane.process = slow

    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.whole("the first"))
            while not computed:
                await asyncio.sleep(0.01)
            async with wire.connected() as (_, other):
                other.write(wire.whole("who leaves"))
                while served.lane.n_waiting == 0:
                    await asyncio.sleep(0.01)
            while len(wire.state.connections) > 1:
                await asyncio.sleep(0.01)
            go.set()
            return (await answer_in(reader))[0]

    assert scene(client, play) == 200
    assert computed == ["the first"]


def test_a_client_who_leaves_in_the_middle_of_its_body_is_no_bug(client, house):
    async def play(wire):
        for path in (PREDICT, "/v1/feedback"):
            async with wire.connected() as (_, writer):
                writer.write(wire.head(path=path, content_length=100, content_type="application/json") + b'{"inp')
                await asyncio.sleep(0.05)
        while wire.state.tasks:
            await asyncio.sleep(0.01)

    scene(client, play)
    assert [counted(client, 499, route) for route in ("/v1/models/{name}/predict", "/v1/feedback")] == [1, 1]
    assert not [line for line in house.lines() if line["level"] == "error"]


def test_continue_is_said_only_to_who_may_go_on(client):
    async def play(wire):
        body = json.dumps({"inputs": "good"}).encode()
        async with wire.connected() as (reader, writer):
            writer.write(wire.head(content_length=len(body), expect="100-continue"))
            assert await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5) == b"HTTP/1.1 100 Continue\r\n\r\n"
            writer.write(body)
            first = (await answer_in(reader))[0]
        wire.key = "Bearer nobody"
        async with wire.connected() as (reader, writer):
            writer.write(wire.head(content_length=len(body), expect="100-continue"))
            return first, (await answer_in(reader))[0]

    assert scene(client, play) == (200, 401)


def test_an_upgrade_is_not_taken(client):
    async def play(wire):
        upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13"}
        async with wire.connected() as (reader, writer):
            writer.write(wire.head("GET", "/health/live", **upgrade))
            return await answer_in(reader)

    assert scene(client, play) == (200, {"status": "live"})


def test_a_pipelined_head_that_does_not_come_costs_nobody_the_answer_before_it(serve):
    client = serve(header_s=0.1)
    served = client.service.fleet.loaded(client.service.fleet.routing("intent").main)
    go, real = threading.Event(), served.lane.process
    served.lane.process = lambda batch: (go.wait(10), real(batch))[1]

    async def play(wire):
        async with wire.connected() as (reader, writer):
            writer.write(wire.whole() + b"POST / HTTP/1.1\r\nhost")
            await asyncio.sleep(0.4)
            go.set()
            status = (await answer_in(reader))[0]
            return status, await asyncio.wait_for(reader.read(), 5)

    assert scene(client, play) == (200, b"")


def test_a_connection_that_is_about_to_ask_when_the_server_closes_is_answered(client):
    async def play(wire):
        async with wire.connected() as (reader, writer), wire.connected() as (idle, other):
            other.write(wire.whole())
            assert (await answer_in(idle))[0] == 200
            while len(wire.state.connections) < 2:
                await asyncio.sleep(0.01)
            client.service.is_draining = True
            for connection in list(wire.state.connections):
                connection.shutdown()
            assert await asyncio.wait_for(idle.read(), 5) == b""  # that one had its answer
            writer.write(wire.whole())
            status = (await answer_in(reader))[0]
            return status, await asyncio.wait_for(reader.read(), 5)

    assert scene(client, play) == (200, b"")


def test_a_new_connection_that_says_nothing_does_not_hold_up_the_end(client):
    async def play(wire):
        async with wire.connected() as (reader, _):
            while not wire.state.connections:
                await asyncio.sleep(0.01)
            for connection in list(wire.state.connections):
                connection.shutdown()
            started = time.monotonic()
            await asyncio.wait_for(reader.read(), 5)
            return time.monotonic() - started

    assert scene(client, play) < 3


# What there is no room for.


@asynccontextmanager
async def full(client, wire):
    """A server whose model works at one request while another one, as many as may, waits."""
    served = client.service.fleet.loaded(client.service.fleet.routing("intent").main)
    go, real = threading.Event(), served.lane.process
    served.lane.process = lambda batch: (go.wait(10), real(batch))[1]
    async with AsyncExitStack() as stack:
        waiting = [await stack.enter_async_context(wire.connected()) for _ in range(2)]
        for n_waiting, (_, writer) in enumerate(waiting):
            writer.write(wire.whole())
            await asyncio.sleep(0.1)  # the first one is taken from the queue
            while served.lane.n_waiting != n_waiting:
                await asyncio.sleep(0.01)
        yield go
        assert [(await answer_in(reader))[0] for reader, _ in waiting] == [200, 200]


def test_what_there_is_no_room_for_is_refused_before_its_body_has_come_and_the_connection_goes_on(serve, house):
    client = serve(waiting=1)

    async def play(wire):
        async with full(client, wire) as go, wire.connected() as (reader, writer):
            writer.write(wire.head(content_length=1000))
            early = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
            size = int(early.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            body = json.loads(await reader.readexactly(size))
            writer.write(b"x" * 1000 + b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n")
            live = await answer_in(reader)
            go.set()
            while client.service.fleet.is_full("intent", 0):
                await asyncio.sleep(0.01)
            writer.write(wire.whole())
            return early.decode().lower(), body, live, (await answer_in(reader))[0]

    head, body, live, later = scene(client, play)
    assert head.startswith("http/1.1 503 service unavailable\r\n")
    assert "content-type: application/problem+json\r\n" in head
    assert int(head.split("retry-after: ")[1].split("\r\n")[0]) in (1, 2, 3)
    assert "x-content-type-options: nosniff\r\n" in head
    assert body == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "too much waits for this model; come back a little later.",
    }
    assert (live, later) == ((200, {"status": "live"}), 200)
    metrics = client.get("/metrics", headers=house.as_role("admin")).text
    assert 'burnish_requests_total{route="/v1/models/{name}/predict",status="503"} 1.0' in metrics
    assert client.service.watch._errors.total() == 1


def test_other_paths_other_models_and_a_server_that_drains_take_the_usual_way_while_one_is_full(serve):
    client = serve(waiting=1)

    async def play(wire):
        async with full(client, wire) as go, wire.connected() as (reader, writer):
            statuses = []
            for path in ("/v1/models/other/predict", "/v1/models/intent/nothing", "/v1/models/%69ntent/predict?a=b"):
                writer.write(wire.whole(path=path))
                statuses.append((await answer_in(reader))[0])
            client.service.is_draining = True
            writer.write(wire.whole())
            drained = await answer_in(reader)
            go.set()
            return statuses, drained[0]

    assert scene(client, play) == ([404, 404, 503], 503)


def test_a_refused_client_whose_body_never_comes_is_let_go(serve):
    client = serve(waiting=1, body_s=0.2)

    async def play(wire):
        async with full(client, wire) as go, wire.connected() as (reader, writer):
            writer.write(wire.head(content_length=1000) + b"x")
            said = await asyncio.wait_for(reader.read(), 5)
            go.set()
            return said

    said = scene(client, play)
    assert said.count(b"HTTP/1.1") == 1
    assert status_of(said) == 503


def test_a_refused_client_who_wants_no_more_is_closed(serve):
    client = serve(waiting=1)

    async def play(wire):
        async with full(client, wire) as go, wire.connected() as (reader, writer):
            writer.write(wire.whole(connection="close"))
            said = await asyncio.wait_for(reader.read(), 5)
            go.set()
            return said

    assert status_of(scene(client, play)) == 503


@pytest.fixture
def unparsed(monkeypatch):
    """The refusals that were given before a parser saw anything."""
    found, real = [], Turnstile.refusal_of_whole

    def counted(self, data):
        refusal = real(self, data)
        found.extend([] if refusal is None else [refusal])
        return refusal

    monkeypatch.setattr(Turnstile, "refusal_of_whole", counted)
    return found


@pytest.fixture
def statuses(serve):
    """`statuses(make)`: of the answers to `make(wire)`, sent piece by piece to a full server on one connection."""
    client = serve(waiting=1)

    def asked(make):
        async def play(wire):
            async with full(client, wire) as go, wire.connected() as (reader, writer):
                told = []
                for piece in make(wire):
                    writer.write(piece)
                    told.append((await answer_in(reader))[0])
                go.set()
                return told

        return scene(client, play)

    return asked


def test_a_plain_request_is_refused_unparsed_and_again_and_again(statuses, unparsed):
    found = statuses(lambda wire: [wire.whole("one"), wire.whole("坏"), wire.whole("x", connection="Keep-Alive")])
    assert (found, len(unparsed)) == ([503, 503, 503], 3)


def test_after_such_a_refusal_a_connection_is_answered_as_any_other(statuses, unparsed):
    live = b"GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n"
    found = statuses(lambda wire: [wire.whole(), live, wire.whole(), live])
    assert (found, len(unparsed)) == ([503, 200, 503, 200], 2)


def test_of_many_that_arrive_at_once_no_more_are_let_in_than_there_is_room_for(serve, unparsed):
    client = serve(waiting=3)

    async def play(wire):
        async with full(client, wire) as go, AsyncExitStack() as stack:  # one waits already
            lines = [await stack.enter_async_context(wire.connected()) for _ in range(20)]
            for _, writer in lines:
                writer.write(wire.whole())
            asking = [asyncio.create_task(answer_in(reader)) for reader, _ in lines]
            while sum(one.done() for one in asking) < 18:
                await asyncio.sleep(0.01)
            go.set()
            return sorted(status for status, _ in await asyncio.gather(*asking))

    assert scene(client, play) == [200] * 2 + [503] * 18
    assert len(unparsed) == 18


@pytest.mark.parametrize(
    "spoil",
    [
        lambda whole: whole.replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        lambda whole: whole.replace(b"host: x", b"host: x\r\nconnection: close", 1),
        lambda whole: whole.replace(b"host: x", b"host: x\r\nexpect: 100-continue", 1),
        lambda whole: whole.replace(b"host: x", b"host: x\r\ncontent-length: 3", 1),
        lambda whole: whole.replace(b"host: x", b"host: x\r\ncontent-length : 3", 1),
        lambda whole: whole.replace(b"host: x", b"host: x\r\n folded", 1),
        lambda whole: whole.replace(b"host: x", b"host: x\nx: y", 1),
        lambda whole: whole.replace(b"host: x", b"host: x\rx: y", 1),
        lambda whole: whole.replace(b"content-length: ", b"content-length: 0", 1),
        lambda whole: whole.replace(b"content-length: ", b"content-length: -", 1),
        lambda whole: whole.replace(b"POST ", b"post ", 1),
        lambda whole: whole + b"GET / HTTP/1.1\r\n",
        lambda whole: whole[:-1],
        lambda whole: whole.replace(b"intent/predict", b"intent/predict?a=b", 1),
        lambda whole: whole.replace(b"intent/predict", b"\xff/predict", 1),
        lambda whole: whole.split(b"content-length")[0] + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ],
)
def test_what_is_not_plain_is_parsed(serve, spoil):
    client = serve(waiting=1)

    async def play(wire):
        async with full(client, wire) as go:
            plain = wire.whole()
            found = [Turnstile(client.service, PREDICT).refusal_of_whole(one) for one in (plain, spoil(plain))]
            go.set()
            return found

    plain, spoiled = scene(client, play)
    assert status_of(plain) == 503
    assert spoiled is None


def test_a_request_behind_one_that_waits_is_not_refused_before_it(serve):
    client = serve(waiting=2)

    async def play(wire):
        async with full(client, wire) as go, wire.connected() as (reader, writer):
            writer.write(wire.whole())  # the last one that there is room for
            while not client.service.fleet.is_full("intent", 0):
                await asyncio.sleep(0.01)
            writer.write(wire.whole("bad day"))
            await asyncio.sleep(0.05)
            go.set()
            return [(await answer_in(reader))[0] for _ in range(2)]

    assert scene(client, play) == [200, 200]
