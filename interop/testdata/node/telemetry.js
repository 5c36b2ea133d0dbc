// Starts the official SDK and kafkajs's instrumentation. It must be loaded before kafkajs.
const { trace } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { KafkaJsInstrumentation } = require('@opentelemetry/instrumentation-kafkajs');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())], // sends to OTEL_EXPORTER_OTLP_ENDPOINT
});
provider.register();
registerInstrumentations({ instrumentations: [new KafkaJsInstrumentation()] });

const { Kafka, logLevel } = require('kafkajs');

exports.tracer = trace.getTracer('interop');
exports.kafka = new Kafka({ clientId: process.env.OTEL_SERVICE_NAME, brokers: [process.env.KAFKA_ADDR], logLevel: logLevel.ERROR });
exports.stop = () => provider.shutdown();

// say tells the test what happened, and when: a line of JSON with the time in nanoseconds, as a string.
exports.say = (event) => {
  const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;
  console.log(JSON.stringify({ event, at: String(now) }));
};
