// The service quotes: answers 300 requests, each after two calls that it awaits one after the other.
const { tracer, stop, say } = require('./sdk');
const { SpanKind } = require('@opentelemetry/api');
const { setTimeout: sleep } = require('node:timers/promises');

const call = (name, ms) =>
  tracer.startActiveSpan(name, { kind: SpanKind.CLIENT }, async (span) => {
    await sleep(ms);
    span.end();
  });

async function main() {
  for (let n = 0; n < 300; n++) {
    await tracer.startActiveSpan('GET /quote', { kind: SpanKind.SERVER }, async (span) => {
      await call('price', 2 + (n % 3));
      await call('stock', 2 + (n % 4));
      span.end();
    });
  }
  await stop();
  say('answered');
}

main();
