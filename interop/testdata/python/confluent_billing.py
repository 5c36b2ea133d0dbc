"""The service billing: is ready to take an order, and takes it when a line on standard input says so. Its argument is a way
of confluent-kafka: poll or consume."""

import os
import sys
import time

import confluent_kafka
from opentelemetry.instrumentation.confluent_kafka import ConfluentKafkaInstrumentor

from telemetry import provider, say, tracer

ConfluentKafkaInstrumentor().instrument()
consumer = confluent_kafka.Consumer(
    {
        "bootstrap.servers": os.environ["KAFKA_ADDR"],
        "client.id": "billing",
        "group.id": "billing",
        "auto.offset.reset": "earliest",
        "fetch.wait.max.ms": 50,
    }
)


def take():
    if sys.argv[1] == "consume":
        return consumer.consume(num_messages=1, timeout=1)
    record = consumer.poll(1)
    return [record] if record else []


joined = []
consumer.subscribe([os.environ["TOPIC"]], on_assign=lambda _consumer, partitions: joined.extend(partitions))
while not joined:
    consumer.poll(0.1)
say("ready")
if not sys.stdin.readline():
    sys.exit("the test has gone")
records = []
while not records:
    records = take()
for record in records:
    if record.error():
        sys.exit(str(record.error()))
    say("handling")
    with tracer.start_as_current_span("charge"):
        time.sleep(0.05)
    say("charged")
consumer.close()  # ends the span of the handling
provider.shutdown()
