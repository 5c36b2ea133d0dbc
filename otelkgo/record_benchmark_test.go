package otelkgo_test

import (
	"context"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"tracelab/otelkgo"
)

// BenchmarkRecord is one record sent and processed, hooks and spans without a
// broker: the two bare SDK spans, otelkgo, and otelkgo with metrics.
//
//	go test -run '^$' -bench Record ./otelkgo
func BenchmarkRecord(b *testing.B) {
	for _, c := range recordCases(b) {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				c.run()
			}
		})
	}
}

// BenchmarkRatio runs the cases of BenchmarkRecord in turns of 200 records and
// reports the median of their ratios in CPU time, so that it can be read on a
// machine that does other work, too.
//
//	go test -run '^$' -bench Ratio -benchtime 500x ./otelkgo
func BenchmarkRatio(b *testing.B) {
	cases := recordCases(b)
	ratios := map[string][]float64{}
	took := map[string]float64{}
	for b.Loop() {
		for _, c := range cases {
			start := cpuTime(b)
			for range 200 {
				c.run()
			}
			took[c.name] = float64(cpuTime(b) - start)
		}
		for _, r := range [][2]string{
			{"sampled/otelkgo", "sampled/bare"}, {"sampled/metrics", "sampled/otelkgo"}, {"unsampled/metrics", "unsampled/otelkgo"},
		} {
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

type recordCase struct {
	name string
	run  func()
}

func recordCases(b *testing.B) []recordCase {
	var cases []recordCase
	for name, sampler := range map[string]sdktrace.Sampler{"sampled": sdktrace.AlwaysSample(), "unsampled": sdktrace.NeverSample()} {
		tp := sdktrace.NewTracerProvider(sdktrace.WithSampler(sampler), sdktrace.WithSpanProcessor(endOnly{}))
		meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))
		ctx, span := tp.Tracer("bench").Start(b.Context(), "POST /orders")
		span.End()
		cases = append(cases,
			recordCase{name + "/bare", bareRecord(ctx, tp)},
			recordCase{name + "/otelkgo", otelkgoRecord(b, ctx, tp, metricnoop.NewMeterProvider())},
			recordCase{name + "/metrics", otelkgoRecord(b, ctx, tp, meters)},
		)
	}
	slices.SortFunc(cases, func(a, b recordCase) int { return compareNames(a.name, b.name) })
	return cases
}

func compareNames(a, b string) int {
	order := []string{"sampled/bare", "sampled/otelkgo", "sampled/metrics", "unsampled/bare", "unsampled/otelkgo", "unsampled/metrics"}
	return slices.Index(order, a) - slices.Index(order, b)
}

// bareRecord makes the spans that otelkgo makes of a record, with the same
// attributes and link, on the SDK alone, as thriftily as its API allows: what is
// always the same is made once, and the rest is given in one call.
func bareRecord(ctx context.Context, tp trace.TracerProvider) func() {
	tracer := tp.Tracer("bare")
	common := func(operation string) []attribute.KeyValue {
		return []attribute.KeyValue{
			attribute.String("messaging.system", "kafka"), attribute.String("messaging.operation.name", operation), attribute.String("messaging.operation.type", operation),
			attribute.String("server.address", "127.0.0.1"), attribute.Int("server.port", 1), attribute.String("messaging.destination.name", "orders"),
		}
	}
	send := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindProducer), trace.WithAttributes(common("send")...)}
	process := trace.WithSpanKind(trace.SpanKindConsumer)
	consumed := append(common("process"), attribute.String("messaging.consumer.group.name", "bench"))
	partition, client := attribute.String("messaging.destination.partition.id", "0"), attribute.String("messaging.client.id", "bench")
	key := []byte("order-1")
	return func() {
		_, span := tracer.Start(ctx, "send orders", send...)
		creation := span.SpanContext()
		if span.IsRecording() {
			span.SetAttributes(partition, client, attribute.String("messaging.kafka.message.key", string(key)), attribute.Int("messaging.kafka.offset", 0))
		}
		span.End()
		set := append(slices.Clip(consumed), partition, client, attribute.String("messaging.kafka.message.key", string(key)), attribute.Int("messaging.kafka.offset", 0))
		_, span = tracer.Start(trace.ContextWithRemoteSpanContext(ctx, creation), "process orders", process, trace.WithAttributes(set...))
		if span.IsRecording() {
			span.AddLink(trace.Link{SpanContext: creation})
		}
		span.End()
	}
}

func otelkgoRecord(b *testing.B, ctx context.Context, tp trace.TracerProvider, mp metric.MeterProvider) func() {
	in, err := otelkgo.New(otelkgo.WithTracerProvider(tp), otelkgo.WithMeterProvider(mp), otelkgo.WithPropagator(propagator))
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
	key, value := []byte("order-1"), []byte("{}")
	return func() {
		r := &kgo.Record{Topic: "orders", Key: key, Value: value, Context: ctx}
		produce.OnProduceRecordBuffered(r)
		produce.OnProduceRecordUnbuffered(r, nil)
		r.Context = nil // the record is fetched elsewhere
		produce.OnFetchRecordBuffered(r)
		_, p := in.StartProcess(b.Context(), r)
		p.End(nil)
	}
}
