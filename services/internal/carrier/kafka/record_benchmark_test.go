package kafka_test

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/plugin/kotel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
	"tracelab/tracecontext"
)

// BenchmarkRecord is one record sent and processed: what the hooks and the process span of otelkgo and of kotel cost,
// without a broker, with the stock propagators and with the strict ones of tracecontext. Case bare is the least that an
// instrumentation can do on the SDK: two spans that start with the attributes which the conventions want samplers to see,
// and their context written and read by the stock propagators. It stands here because this is
// where otelkgo and tracecontext meet.
//
//	go test -run '^$' -bench Record -benchtime 20000x -count 7 ./services/internal/carrier/kafka
func BenchmarkRecord(b *testing.B) {
	key, value := []byte("order-1"), []byte("{}")
	for _, s := range recordSeries(b) {
		for _, c := range s.cases {
			b.Run(s.name+"/"+c.name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					c.run(&kgo.Record{Topic: "orders", Key: key, Value: value, Context: s.ctx})
				}
			})
		}
	}
}

// BenchmarkRecordRatio runs the cases of BenchmarkRecord in turns of 200 records and reports the median of their ratios
// to kotel in CPU time, so that it can be read on a machine that does other work, too.
//
//	go test -run '^$' -bench RecordRatio -benchtime 500x ./services/internal/carrier/kafka
func BenchmarkRecordRatio(b *testing.B) {
	key, value := []byte("order-1"), []byte("{}")
	for _, s := range recordSeries(b) {
		b.Run(s.name, func(b *testing.B) {
			ratios := make([][]float64, len(s.cases))
			for b.Loop() {
				took := make([]float64, len(s.cases))
				for i, c := range s.cases {
					start := cpuTime(b)
					for range 200 {
						c.run(&kgo.Record{Topic: "orders", Key: key, Value: value, Context: s.ctx})
					}
					took[i] = float64(cpuTime(b) - start)
				}
				for i := range took {
					ratios[i] = append(ratios[i], took[i]/took[0])
				}
			}
			for i, c := range s.cases {
				slices.Sort(ratios[i])
				b.ReportMetric(ratios[i][len(ratios[i])/2], c.name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// cpuTime is what the process has used.
func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// series are ways to instrument a record with one sampler; the first is kotel's.
type series struct {
	name  string
	ctx   context.Context
	cases []recordCase
}

type recordCase struct {
	name string
	run  func(*kgo.Record)
}

func recordSeries(b *testing.B) []series {
	strict := tracecontext.New()
	propagator := propagation.NewCompositeTextMapPropagator(propagation.TraceContext{}, propagation.Baggage{})
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
	var all []series
	for _, s := range []struct {
		name    string
		sampler sdktrace.Sampler
		members bool
	}{
		{"sampled", sdktrace.AlwaysSample(), false},
		{"unsampled", sdktrace.NeverSample(), false},
		{"sampled+baggage", sdktrace.AlwaysSample(), true},
		{"unsampled+baggage", sdktrace.NeverSample(), true},
	} {
		tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(s.sampler), sdktrace.WithSpanProcessor(endOnly{}))
		all = append(all, series{s.name, benchContext(b, tp, s.members), []recordCase{
			{"kotel", kotelRecord(tp, propagator)},
			{"kotel-strict", kotelRecord(tp, strict)},
			{"bare", bareRecord(b.Context(), tp, propagator)},
			{"otelkgo", otelkgoRecord(b, tp, metricnoop.NewMeterProvider(), propagator)},
			{"otelkgo-strict", otelkgoRecord(b, tp, metricnoop.NewMeterProvider(), strict)},
			{"otelkgo-metrics", otelkgoRecord(b, tp, meters, propagator)},
		}})
	}
	return all
}

// endOnly takes spans and does nothing, so that a sampled span is a real one.
type endOnly struct{ sdktrace.SpanProcessor }

func (endOnly) OnStart(context.Context, sdktrace.ReadWriteSpan) {}
func (endOnly) OnEnd(sdktrace.ReadOnlySpan)                     {}
func (endOnly) Shutdown(context.Context) error                  { return nil }

func benchContext(b *testing.B, tp trace.TracerProvider, members bool) context.Context {
	ctx, span := tp.Tracer("bench").Start(b.Context(), "POST /orders")
	span.End()
	if !members {
		return ctx
	}
	bag, err := baggage.Parse("tracelab.run=2026-11-21-1,tracelab.form=kafka,tracelab.relation=both,tracelab.order.number=17,tracelab.seed=1,tracelab.order.id=01JD4Z6M8Q")
	if err != nil {
		b.Fatal(err)
	}
	return baggage.ContextWithBaggage(ctx, bag)
}

func kotelRecord(tp trace.TracerProvider, p propagation.TextMapPropagator) func(*kgo.Record) {
	t := kotel.NewTracer(kotel.TracerProvider(tp), kotel.TracerPropagator(p), kotel.ClientID("bench"), kotel.ConsumerGroup("bench"))
	return func(r *kgo.Record) {
		t.OnProduceRecordBuffered(r)
		t.OnProduceRecordUnbuffered(r, nil)
		r.Context = nil // the record is fetched elsewhere
		t.OnFetchRecordBuffered(r)
		t.OnFetchRecordUnbuffered(r, true)
		_, span := t.WithProcessSpan(r)
		span.End()
	}
}

func bareRecord(ctx context.Context, tp trace.TracerProvider, p propagation.TextMapPropagator) func(*kgo.Record) {
	tracer := tp.Tracer("bare")
	options := func(operation string, kind trace.SpanKind, more ...attribute.KeyValue) []trace.SpanStartOption {
		return []trace.SpanStartOption{trace.WithSpanKind(kind), trace.WithAttributes(append(more,
			attribute.String("messaging.system", "kafka"), attribute.String("messaging.operation.name", operation), attribute.String("messaging.operation.type", operation),
			attribute.String("server.address", "127.0.0.1"), attribute.Int("server.port", 1), attribute.String("messaging.destination.name", "orders"))...)}
	}
	partition := attribute.String("messaging.destination.partition.id", "0")
	send := options("send", trace.SpanKindProducer)
	process := options("process", trace.SpanKindConsumer, partition, attribute.String("messaging.consumer.group.name", "bench"))
	client := attribute.String("messaging.client.id", "bench")
	return func(r *kgo.Record) {
		sent, span := tracer.Start(r.Context, "send orders", send...)
		p.Inject(sent, bareCarrier{r})
		if span.IsRecording() {
			span.SetAttributes(client, partition, attribute.String("messaging.kafka.message.key", string(r.Key)), attribute.Int("messaging.kafka.offset", 0))
		}
		span.End()
		received := p.Extract(ctx, bareCarrier{r})
		_, span = tracer.Start(received, "process orders", process...)
		if span.IsRecording() {
			span.SetAttributes(client, attribute.String("messaging.kafka.message.key", string(r.Key)), attribute.Int("messaging.kafka.offset", 0))
			span.AddLink(trace.Link{SpanContext: trace.SpanContextFromContext(received)})
		}
		span.End()
	}
}

// bareCarrier does no more than propagators need: it neither replaces headers nor regards their case.
type bareCarrier struct{ record *kgo.Record }

func (c bareCarrier) Get(key string) string {
	for i := range c.record.Headers {
		if c.record.Headers[i].Key == key {
			return string(c.record.Headers[i].Value)
		}
	}
	return ""
}

func (c bareCarrier) Set(key, value string) {
	c.record.Headers = append(c.record.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
}

func (bareCarrier) Keys() []string { return nil }

func otelkgoRecord(b *testing.B, tp trace.TracerProvider, mp metric.MeterProvider, p propagation.TextMapPropagator) func(*kgo.Record) {
	in, err := otelkgo.New(otelkgo.WithTracerProvider(tp), otelkgo.WithMeterProvider(mp), otelkgo.WithPropagator(p))
	if err != nil {
		b.Fatal(err)
	}
	hooks := in.Hooks()
	cl, err := kgo.NewClient(kgo.WithHooks(hooks...), kgo.ClientID("bench"), kgo.ConsumerGroup("bench"),
		kgo.SeedBrokers("127.0.0.1:1"), kgo.DialTimeout(time.Millisecond))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(cl.Close)
	produce := hooks[0].(interface {
		kgo.HookProduceRecordBuffered
		kgo.HookProduceRecordUnbuffered
		kgo.HookFetchRecordBuffered
	})
	ctx := b.Context()
	return func(r *kgo.Record) {
		produce.OnProduceRecordBuffered(r)
		produce.OnProduceRecordUnbuffered(r, nil)
		r.Context = nil
		produce.OnFetchRecordBuffered(r)
		_, p := in.StartProcess(ctx, r)
		p.End(nil)
	}
}
