// Starts the official SDK and kafkajs's instrumentation. It must be loaded before kafkajs.
const sdk = require('./sdk');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { KafkaJsInstrumentation } = require('@opentelemetry/instrumentation-kafkajs');

registerInstrumentations({ instrumentations: [new KafkaJsInstrumentation()] });

const { Kafka, logLevel } = require('kafkajs');

exports.tracer = sdk.tracer;
exports.kafka = new Kafka({ clientId: process.env.OTEL_SERVICE_NAME, brokers: [process.env.KAFKA_ADDR], logLevel: logLevel.ERROR });
exports.stop = sdk.stop;
exports.say = sdk.say;
