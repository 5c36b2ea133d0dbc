package otelamqp_test

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelamqp"
	"tracelab/otelamqp/amqptest"
)

// BenchmarkMessage is one message, sent with a confirm, handled and acknowledged,
// over the broker of amqptest: without telemetry, with spans and a carrier written
// by hand, with otelamqp, and with its metrics.
//
//	go test -run '^$' -bench Message ./otelamqp
func BenchmarkMessage(b *testing.B) {
	for _, c := range messageCases(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.run()
			}
		})
	}
}

// BenchmarkRatio runs the cases of BenchmarkMessage in turns of 100 messages and
// reports the median of their ratios in CPU time, so that it can be read on a
// machine that does other work, too.
//
//	go test -run '^$' -bench Ratio -benchtime 100x ./otelamqp
func BenchmarkRatio(b *testing.B) {
	cases := messageCases(b)
	ratios := map[string][]float64{}
	took := map[string]float64{}
	for b.Loop() {
		for _, c := range cases {
			start := cpuTime(b)
			for range 100 {
				c.run()
			}
			took[c.name] = float64(cpuTime(b) - start)
		}
		for _, r := range [][2]string{{"by-hand", "plain"}, {"otelamqp", "by-hand"}, {"metrics", "by-hand"}, {"unsampled", "plain"}} {
			name := r[0] + ":" + r[1]
			ratios[name] = append(ratios[name], took[r[0]]/took[r[1]])
		}
	}
	for name, all := range ratios {
		slices.Sort(all)
		b.ReportMetric(all[len(all)/2], name)
	}
	b.ReportMetric(0, "ns/op")
}

// cpuTime is what the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

type messageCase struct {
	name string
	run  func()
}

func messageCases(b *testing.B) []messageCase {
	sampled := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(endOnly{}))
	unsampled := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(endOnly{}), sdktrace.WithSampler(sdktrace.NeverSample()))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	ctx, span := sampled.Tracer("bench").Start(b.Context(), "POST /orders")
	span.End()
	return []messageCase{
		{"plain", plainMessage(b)},
		{"by-hand", handMessage(b, ctx, sampled.Tracer("by hand"))},
		{"otelamqp", otelMessage(b, ctx, sampled, metricnoop.NewMeterProvider())},
		{"metrics", otelMessage(b, ctx, sampled, meters)},
		{"unsampled", otelMessage(b, b.Context(), unsampled, metricnoop.NewMeterProvider())},
	}
}

const benchmarkQueue = "orders"

// benchmarkChannel is a plain channel and its connection to a broker of its own.
func benchmarkChannel(b *testing.B) (*amqp.Connection, *amqp.Channel) {
	broker := &amqptest.Broker{}
	conn, err := broker.Dial(amqp.Config{})
	check(b, err)
	b.Cleanup(broker.Close)
	ch, err := conn.Channel()
	check(b, err)
	check(b, ch.Confirm(false))
	_, err = ch.QueueDeclare(benchmarkQueue, false, false, false, false, nil)
	check(b, err)
	return conn, ch
}

func plainMessage(b *testing.B) func() {
	_, ch := benchmarkChannel(b)
	deliveries, err := ch.Consume(benchmarkQueue, "", false, false, false, false, nil)
	check(b, err)
	return func() {
		c, err := ch.PublishWithDeferredConfirm("", benchmarkQueue, false, false, amqp.Publishing{MessageId: "m", CorrelationId: "o"})
		check(b, err)
		c.Wait()
		d := <-deliveries
		check(b, d.Ack(false))
	}
}

// tableCarrier is the carrier that everybody writes by hand.
type tableCarrier amqp.Table

func (c tableCarrier) Get(key string) string { s, _ := c[key].(string); return s }
func (c tableCarrier) Set(key, value string) { c[key] = value }
func (c tableCarrier) Keys() (keys []string) {
	for key := range c {
		keys = append(keys, key)
	}
	return keys
}

// handMessage makes the spans of otelamqp, but for the acknowledgement's, by hand:
// what is always the same is made once.
func handMessage(b *testing.B, ctx context.Context, tracer trace.Tracer) func() {
	_, ch := benchmarkChannel(b)
	deliveries, err := ch.Consume(benchmarkQueue, "", false, false, false, false, nil)
	check(b, err)
	common := func(kind trace.SpanKind, operation string) []trace.SpanStartOption {
		return []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(
			attribute.String("messaging.system", "rabbitmq"), attribute.String("messaging.operation.name", operation), attribute.String("messaging.operation.type", operation),
			attribute.String("messaging.destination.name", benchmarkQueue), attribute.String("messaging.rabbitmq.destination.routing_key", benchmarkQueue))}
	}
	send, process := common(trace.SpanKindProducer, "send"), common(trace.SpanKindConsumer, "process")
	ids := func(span trace.Span, id, conversation string) {
		span.SetAttributes(attribute.String("messaging.message.id", id), attribute.String("messaging.message.conversation_id", conversation))
	}
	return func() {
		sending, span := tracer.Start(ctx, "send orders", send...)
		ids(span, "m", "o")
		headers := amqp.Table{}
		propagator.Inject(sending, tableCarrier(headers))
		c, err := ch.PublishWithDeferredConfirm("", benchmarkQueue, false, false, amqp.Publishing{MessageId: "m", CorrelationId: "o", Headers: headers})
		check(b, err)
		c.Wait()
		span.End()
		d := <-deliveries
		remote := propagator.Extract(b.Context(), tableCarrier(d.Headers))
		_, span = tracer.Start(remote, "process orders", append(slices.Clip(process), trace.WithLinks(trace.LinkFromContext(remote)))...)
		ids(span, d.MessageId, d.CorrelationId)
		span.SetAttributes(attribute.Int64("messaging.rabbitmq.message.delivery_tag", int64(d.DeliveryTag)))
		span.End()
		check(b, d.Ack(false))
	}
}

func otelMessage(b *testing.B, ctx context.Context, tp trace.TracerProvider, mp metric.MeterProvider) func() {
	in, err := otelamqp.New(otelamqp.WithTracerProvider(tp), otelamqp.WithMeterProvider(mp), otelamqp.WithPropagator(propagator), otelamqp.WithSettleSpans(otelamqp.SpanOnError))
	check(b, err)
	ch, err := in.Wrap(benchmarkChannel(b))
	check(b, err)
	deliveries, err := ch.Consume(benchmarkQueue, "", false, false, false, false, nil)
	check(b, err)
	return func() {
		check(b, ch.PublishConfirmed(ctx, "", benchmarkQueue, false, amqp.Publishing{MessageId: "m", CorrelationId: "o"}))
		d := <-deliveries
		_, p := in.StartProcess(b.Context(), d)
		p.End(nil)
		check(b, d.Ack(false))
	}
}

// endOnly takes spans and does nothing, so that a sampled span is a real one.
type endOnly struct{ sdktrace.SpanProcessor }

func (endOnly) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (endOnly) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (endOnly) Shutdown(context.Context) error                  { return nil }
