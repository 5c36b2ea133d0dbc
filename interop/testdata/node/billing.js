// The service billing: is ready to take an order, and takes it when a line on standard input says so. Its argument is a
// way of kafkajs: eachMessage or eachBatch.
const { tracer, kafka, stop, say } = require('./telemetry');
const { once } = require('node:events');
const { setTimeout: sleep } = require('node:timers/promises');

const topic = process.env.TOPIC;

async function main() {
  let handled;
  const done = new Promise((resolve) => (handled = resolve));
  const handle = async () => {
    say('handling');
    await tracer.startActiveSpan('charge', async (span) => {
      await sleep(50);
      span.end();
    });
    say('charged');
    handled();
  };
  const consumer = kafka.consumer({ groupId: 'billing', maxWaitTimeInMs: 50 });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({ [process.argv[2]]: handle });
  await joined;
  consumer.pause([{ topic }]);
  process.stdin.once('end', () => process.exit(1)); // the test has gone
  say('ready');
  await once(process.stdin, 'data');
  consumer.resume([{ topic }]);
  await done;
  await consumer.disconnect(); // waits for the handler, and so for its spans
  await stop();
  process.exit(); // standard input is still open
}

main();
