"""The service shop: answers one POST /orders after Kafka has acknowledged the order."""

import asyncio
import os

import aiokafka
from opentelemetry.instrumentation.aiokafka import AIOKafkaInstrumentor
from opentelemetry.trace import SpanKind

from telemetry import REQUEST, provider, say, tracer


async def main():
    AIOKafkaInstrumentor().instrument()
    async with aiokafka.AIOKafkaProducer(bootstrap_servers=os.environ["KAFKA_ADDR"], client_id="shop") as producer:
        with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER, attributes=REQUEST) as span:
            say("request")
            await producer.send_and_wait(os.environ["TOPIC"], b"{}", key=b"o-1")
            say("acknowledged")
            span.set_attribute("http.response.status_code", 202)
    provider.shutdown()


asyncio.run(main())
