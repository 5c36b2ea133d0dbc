// The service shop: answers one POST /orders after Kafka has acknowledged the order.
const { tracer, kafka, stop, say } = require('./telemetry');
const { SpanKind } = require('@opentelemetry/api');
const { Partitioners } = require('kafkajs');

const request = {
  kind: SpanKind.SERVER,
  attributes: { 'http.request.method': 'POST', 'http.route': '/orders', 'url.path': '/orders', 'url.scheme': 'http' },
};

async function main() {
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  await producer.connect();
  await tracer.startActiveSpan('POST /orders', request, async (span) => {
    say('request');
    await producer.send({ topic: process.env.TOPIC, messages: [{ key: 'o-1', value: '{}' }] });
    say('acknowledged');
    span.setAttribute('http.response.status_code', 202);
    span.end();
  });
  await producer.disconnect();
  await stop();
}

main();
