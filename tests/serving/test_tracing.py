"""Traces: what a collector gets of requests, and that nothing is there unless the environment asks."""

import gzip
import subprocess
import sys
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from burnish.core.errors import UserError
from burnish.serving.tracing import Tracing

PREDICT = "/v1/models/intent/predict"
CANARY = "canary-4711"
OK, ERROR = 0, 2


class Collector:
    """What an OpenTelemetry collector was sent."""

    def __init__(self):
        self.sent = []
        self.headers = []

    def spans(self):
        return [
            span
            for one in self.sent
            for resource in one.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def named(self, name):
        return [span for span in self.spans() if span.name == name]

    def resource(self):
        return about(self.sent[0].resource_spans[0].resource)


@contextmanager
def collecting():
    collector = Collector()

    class Answering(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            collector.sent.append(ExportTraceServiceRequest.FromString(body))
            collector.headers.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *told):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    collector.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield collector
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def about(holder):
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in holder.attributes}


@pytest.fixture
def collector(monkeypatch):
    with collecting() as one:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", one.url)
        yield one


def test_a_request_is_a_span_with_the_stages_of_its_batch_below_it(collector, house):
    with house.client() as client:
        assert client.post(PREDICT, json={"inputs": ["good", "so bad"]}).status_code == 200
    [server] = collector.named(f"POST {PREDICT.replace('intent', '{name}')}")
    assert server.kind == server.SPAN_KIND_SERVER
    told = about(server)
    assert told == {
        "http.request.method": "POST", "http.route": "/v1/models/{name}/predict", "http.response.status_code": 200,
        "burnish.model": "intent", "burnish.version": 1, "burnish.traffic": "live",
    }  # fmt: skip
    stages = [collector.named(name)[0] for name in ("pre", "core", "post")]
    assert {span.parent_span_id for span in stages} == {server.span_id}
    assert {span.trace_id for span in stages} == {server.trace_id}
    for span in stages:
        own = about(span)
        assert (own["burnish.model"], own["burnish.version"], own["burnish.batch.inputs"]) == ("intent", 1, 2)
        assert own["burnish.batch.tokens"] == 2 * 2 + 3  # [CLS] and [SEP] of both, `good`, `so`, `bad`
    edges = [(span.start_time_unix_nano, span.end_time_unix_nano) for span in stages]
    assert server.start_time_unix_nano <= edges[0][0]
    assert [start <= end for start, end in edges] == [True] * 3
    assert (edges[0][1], edges[1][1]) == (edges[1][0], edges[2][0])
    assert edges[2][1] <= server.end_time_unix_nano


def test_it_is_sent_as_otlp_by_http_under_a_name_of_ours_or_of_the_environment(collector, house, monkeypatch):
    with house.client() as client:
        client.get("/health/live")
    path, headers = collector.headers[0]
    assert (path, headers["content-type"]) == ("/v1/traces", "application/x-protobuf")
    assert collector.resource()["service.name"] == "burnish"
    collector.sent.clear()
    monkeypatch.setenv("OTEL_SERVICE_NAME", "shop-models")
    with house.client() as client:
        client.get("/health/live")
    assert collector.resource()["service.name"] == "shop-models"


def test_a_clients_trace_is_continued(collector, house):
    trace, parent = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    with house.client() as client:
        client.post(PREDICT, json={"inputs": "good"}, headers={"traceparent": f"00-{trace}-{parent}-01"})
        client.post(PREDICT, json={"inputs": "good"}, headers={"traceparent": f"00-{trace}-{parent}-00"})
        client.post(PREDICT, json={"inputs": "good"}, headers={"traceparent": "nonsense"})
    of_client = [span for span in collector.spans() if span.trace_id.hex() == trace]
    assert [span.name for span in of_client if span.parent_span_id.hex() == parent] == [
        "POST /v1/models/{name}/predict"
    ]
    assert len(of_client) == 4  # the second was not sampled by the client, so nothing of it is sent
    assert len(collector.spans()) == 8


def test_a_fault_of_ours_is_an_error_and_a_refusal_is_none(collector, house):
    def failing(batch):
        raise ZeroDivisionError(CANARY)

    with house.client() as client:
        client.post(PREDICT, json={"inputs": []})
        served = client.service.fleet.loaded(client.service.fleet.routing("intent").main)
        served.predictor.core.run = failing
        client.post(PREDICT, json={"inputs": "good"})
    refused, failed = collector.named("POST /v1/models/{name}/predict")
    assert (about(refused)["http.response.status_code"], refused.status.code) == (422, OK)
    assert (about(failed)["http.response.status_code"], failed.status.code) == (500, ERROR)
    assert about(failed)["error.type"] == "500"
    assert len(collector.named("core")) == 1
    assert CANARY not in str(collector.sent)


def test_nothing_that_was_sent_is_in_a_trace(collector, make_house):
    house = make_house(store_inputs="full")
    with house.client() as client:
        client.post(f"{PREDICT}?q={CANARY}", json={"inputs": CANARY}, headers={"x-note": CANARY})
        client.get(f"/v1/predictions/{CANARY}")
        client.get(f"/{CANARY}")
        client.request(CANARY.upper(), "/health/live")
        client.post("/v1/feedback", json={"prediction_id": CANARY, "label": CANARY, "comment": CANARY})
    told = str(collector.sent)
    assert CANARY not in told
    assert CANARY.upper() not in told
    assert "_OTHER /health/live" in told or "_OTHER none" in told
    for key in house.keys.values():
        assert key not in told


def test_text_that_is_streamed_has_its_stages(collector, all_house):
    with all_house.client("chat") as client:
        body = {"model": "chat", "messages": [{"role": "user", "content": "hello"}], "stream": True}
        client.post("/v1/chat/completions", json=body, headers=all_house.as_role("both"))
    [server] = collector.named("POST /v1/chat/completions")
    assert about(server)["burnish.model"] == "chat"
    assert [span.parent_span_id for span in collector.named("core")] == [server.span_id]


def test_a_collector_that_is_away_stops_nothing(house, monkeypatch):
    with collecting() as gone:
        url = gone.url
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    with house.client() as client:
        assert client.post(PREDICT, json={"inputs": "good"}).status_code == 200


SWITCHED_OFF = {"OTEL_SDK_DISABLED": "TRUE", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"}


@pytest.mark.parametrize("environment", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, SWITCHED_OFF])
def test_without_an_endpoint_there_are_no_traces(environment):
    assert Tracing.of(environment) is None


def test_an_endpoint_for_traces_alone_is_enough(monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:9/v1/traces")
    found = Tracing.of({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:9/v1/traces"})
    found.stop()


def test_another_protocol_is_refused_at_the_start():
    asked = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://a:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    with pytest.raises(
        UserError,
        match=r"^OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'; traces are sent by http/protobuf \(port 4318\) only\.$",
    ):
        Tracing.of(asked)


def test_without_an_endpoint_nothing_of_it_is_imported_and_no_batch_is_timed(house):
    with house.client() as client:
        client.post(PREDICT, json={"inputs": "good"})
        served = client.service.fleet.loaded(client.service.fleet.routing("intent").main)
        assert client.service.tracing is None
        assert served.lane.process == client.service._engine.process
    code = "import sys, burnish.serving.http.app, burnish.serving.tokens; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = ("opentelemetry.sdk", "opentelemetry.exporter", "jwt", "cryptography")
    assert not [name for name in done.stdout.split() if name.startswith(heavy)]
