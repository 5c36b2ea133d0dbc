"""Starts the official SDK, and tells the test what happened, and when."""

import json
import time

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

REQUEST = {"http.request.method": "POST", "http.route": "/orders", "url.path": "/orders", "url.scheme": "http"}

provider = TracerProvider()  # named by OTEL_SERVICE_NAME
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))  # sends to OTEL_EXPORTER_OTLP_ENDPOINT
trace.set_tracer_provider(provider)
tracer = trace.get_tracer("interop")


def say(event):
    """Prints a line of JSON with the time in nanoseconds, as a string."""
    print(json.dumps({"event": event, "at": str(time.time_ns())}), flush=True)
