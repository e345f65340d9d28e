"""Traces of requests by OpenTelemetry, sent by OTLP over HTTP; nothing of it is imported until the environment asks.

A request is a server span, each batch that it was part of three spans below it: pre, core, post. All are made once the
request is over, so that what answers does nothing but note the time. Attributes are routes, names and numbers: never
what somebody sent. A client's `traceparent` (W3C Trace Context) is continued. What else the standard's environment
variables say (name of the service, sampler, headers, batches) the SDK takes from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from burnish import __version__
from burnish.core.errors import UserError
from burnish.core.shelves import need
from burnish.serving.stages import Stages

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Span

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
SPOKEN = "http/protobuf"
NAMELESS = "unknown_service"
"""How the SDK calls a service that the environment gives no name."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"})
CARRIED = (b"traceparent", b"tracestate")
LEFT_S = 5
"""What is left over when the server stops has so long to be sent."""


@dataclass(frozen=True)
class Told:
    """A request that is over; times on the clock of `time.perf_counter`."""

    method: str
    route: str
    status: int
    started: float
    ended: float
    headers: Iterable[tuple[bytes, bytes]]
    batches: Sequence[Stages]


class Tracing:
    """Makes spans of requests and hands them to a provider of the SDK."""

    def __init__(self, provider: TracerProvider) -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("burnish", __version__)
        self._propagator = TraceContextTextMapPropagator()

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Tracing | None:
        """As the environment says: only where it names an endpoint, and does not switch the SDK off.

        Raises:
            UserError: the libraries are missing, or another protocol than OTLP over HTTP is wanted.
        """
        is_off = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
        if is_off or not any(environment.get(name) for name in ENDPOINTS):
            return None
        for name in PROTOCOLS:
            if environment.get(name, SPOKEN) != SPOKEN:
                raise UserError(f"{name} is '{environment[name]}'; traces are sent by {SPOKEN} (port 4318) only.")
        exporting = need("opentelemetry.exporter.otlp.proto.http.trace_exporter", "otel")
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        about = Resource.create({"service.version": __version__})
        if str(about.attributes["service.name"]).startswith(NAMELESS):
            about = about.merge(Resource({"service.name": "burnish"}))
        provider = TracerProvider(resource=about, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporting.OTLPSpanExporter()))
        return cls(provider)

    def tell(self, told: Told) -> None:
        """Make the spans of a request."""
        from opentelemetry.trace import SpanKind, set_span_in_context
        from opentelemetry.trace.status import Status, StatusCode

        at, method = _clock(), told.method if told.method in METHODS else "_OTHER"
        attributes: dict[str, Any] = {
            "http.request.method": method, "http.route": told.route, "http.response.status_code": told.status,
        }  # fmt: skip
        span = self._tracer.start_span(
            f"{method} {told.route}", self._parent(told.headers), SpanKind.SERVER, attributes,
            start_time=at(told.started),
        )  # fmt: skip
        if told.status >= 500:
            span.set_attribute("error.type", str(told.status))
            span.set_status(Status(StatusCode.ERROR))
        if span.is_recording():
            for batch in told.batches:
                self._tell_batch(batch, span, set_span_in_context(span), at)
        span.end(at(told.ended))

    def stop(self) -> None:
        """Send what is left."""
        self._provider.force_flush(LEFT_S * 1000)
        self._provider.shutdown()

    def _tell_batch(self, batch: Stages, request: Span, inside: Context, at: Callable[[float], int]) -> None:
        about: dict[str, Any] = {
            "burnish.model": batch.name, "burnish.version": batch.version, "burnish.traffic": batch.traffic,
            "burnish.batch.inputs": batch.n_inputs, "burnish.batch.tokens": batch.n_tokens,
        }  # fmt: skip
        request.set_attributes({name: about[name] for name in ("burnish.model", "burnish.version", "burnish.traffic")})
        edges = (batch.began, batch.core_began, batch.core_ended, batch.ended)
        for name, start, end in zip(("pre", "core", "post"), edges, edges[1:], strict=False):
            self._tracer.start_span(name, inside, attributes=about, start_time=at(start)).end(at(end))

    def _parent(self, headers: Iterable[tuple[bytes, bytes]]) -> Context:
        carrier = {name.decode(): value.decode("latin-1") for name, value in headers if name in CARRIED}
        return self._propagator.extract(carrier)


def _clock() -> Callable[[float], int]:
    """From the clock of `time.perf_counter` to nanoseconds since 1970, as the two stand now."""
    here, there = time.perf_counter(), time.time_ns()
    return lambda moment: there - int((here - moment) * 1e9)
