// Starts the official SDK.
const { trace } = require('@opentelemetry/api');
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto');
const { resourceFromAttributes } = require('@opentelemetry/resources');
const { BatchSpanProcessor, NodeTracerProvider } = require('@opentelemetry/sdk-trace-node');

const provider = new NodeTracerProvider({
  resource: resourceFromAttributes({ 'service.name': process.env.OTEL_SERVICE_NAME }),
  spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter())], // sends to OTEL_EXPORTER_OTLP_ENDPOINT
});
provider.register();

exports.tracer = trace.getTracer('interop');
exports.stop = () => provider.shutdown();

// say tells the test what happened, and when: a line of JSON with the time in nanoseconds, as a string.
exports.say = (event) => {
  const now = BigInt(Math.round((performance.timeOrigin + performance.now()) * 1e3)) * 1000n;
  console.log(JSON.stringify({ event, at: String(now) }));
};
