"""The service shop: answers one POST /orders after Kafka has acknowledged the order."""

import os

import confluent_kafka
from opentelemetry.instrumentation.confluent_kafka import ConfluentKafkaInstrumentor
from opentelemetry.trace import SpanKind

from telemetry import REQUEST, provider, say, tracer

topic = os.environ["TOPIC"]

ConfluentKafkaInstrumentor().instrument()
producer = confluent_kafka.Producer({"bootstrap.servers": os.environ["KAFKA_ADDR"], "client.id": "shop", "linger.ms": 0})
producer.list_topics(topic, timeout=10)  # so that the request does not wait for it
with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER, attributes=REQUEST) as span:
    say("request")
    producer.produce(topic, value=b"{}", key=b"o-1")
    if producer.flush(10):
        raise SystemExit("the order was not acknowledged")
    say("acknowledged")
    span.set_attribute("http.response.status_code", 202)
provider.shutdown()
