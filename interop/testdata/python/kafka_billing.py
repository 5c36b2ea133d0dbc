"""The service billing: is ready to take an order, and takes it when a line on standard input says so. Its argument is a way
of aiokafka: getone or getmany."""

import asyncio
import os
import sys

import aiokafka
from opentelemetry import trace
from opentelemetry.instrumentation.aiokafka import AIOKafkaInstrumentor

from telemetry import provider, say, tracer

received = {}  # the context of the receive span, by the offset of its record


async def remember(span, record, *_):
    received[record.offset] = trace.set_span_in_context(span)


async def take(consumer, way):
    if way == "getone":
        return [await consumer.getone()]
    polled = {}
    while not polled:
        polled = await consumer.getmany(timeout_ms=1000)
    return [record for records in polled.values() for record in records]


async def main():
    AIOKafkaInstrumentor().instrument(async_consume_hook=remember)
    async with aiokafka.AIOKafkaConsumer(
        os.environ["TOPIC"],
        bootstrap_servers=os.environ["KAFKA_ADDR"],
        client_id="billing",
        group_id="billing",
        auto_offset_reset="earliest",
        fetch_max_wait_ms=50,
    ) as consumer:
        say("ready")
        if not await asyncio.to_thread(sys.stdin.readline):
            sys.exit("the test has gone")
        for record in await take(consumer, sys.argv[1]):
            say("handling")
            with tracer.start_as_current_span("charge", context=received[record.offset]):
                await asyncio.sleep(0.05)
            say("charged")
    provider.shutdown()


asyncio.run(main())
