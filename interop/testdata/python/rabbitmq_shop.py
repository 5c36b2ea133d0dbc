"""The service shop: answers one POST /orders after RabbitMQ has confirmed the order."""

import os

import pika
from opentelemetry.instrumentation.pika import PikaInstrumentor
from opentelemetry.trace import SpanKind

from telemetry import REQUEST, provider, say, tracer

PikaInstrumentor().instrument()
with pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])) as connection:
    channel = connection.channel()
    channel.confirm_delivery()
    with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER, attributes=REQUEST) as span:
        say("request")
        channel.basic_publish(exchange="", routing_key="orders", body=b"{}", mandatory=True)
        say("acknowledged")
        span.set_attribute("http.response.status_code", 202)
provider.shutdown()
