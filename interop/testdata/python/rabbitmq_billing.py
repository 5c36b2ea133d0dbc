"""The service billing: is ready to take an order, and takes it when a line on standard input says so. Its argument is a way
of pika: callback or generator."""

import os
import sys
import time

import pika
from opentelemetry.instrumentation.pika import PikaInstrumentor

from telemetry import provider, say, tracer


def charge():
    say("handling")
    with tracer.start_as_current_span("charge"):
        time.sleep(0.05)
    say("charged")


def handle(channel, method, _properties, _body):
    charge()
    channel.basic_ack(method.delivery_tag)
    channel.stop_consuming()


PikaInstrumentor().instrument()
with pika.BlockingConnection(pika.URLParameters(os.environ["AMQP_URL"])) as connection:
    channel = connection.channel()
    channel.queue_declare("orders", durable=True)
    say("ready")
    if not sys.stdin.readline():
        sys.exit("the test has gone")
    if sys.argv[1] == "callback":
        channel.basic_consume("orders", handle)
        channel.start_consuming()
    else:
        for method, _properties, _body in channel.consume("orders"):
            charge()
            channel.basic_ack(method.delivery_tag)
            break
        channel.cancel()
provider.shutdown()
