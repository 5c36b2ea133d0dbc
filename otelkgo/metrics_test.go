package otelkgo_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"tracelab/otelkgo"
)

// metrics collects and returns "name{attributes} value" for every point, with
// the number of values for a histogram.
func (b *bubble) metrics() map[string]float64 {
	b.Helper()
	var all metricdata.ResourceMetrics
	b.must(b.meters.Collect(b.Context(), &all))
	points := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		if scope.Scope.Name != otelkgo.ScopeName || !strings.HasSuffix(scope.Scope.SchemaURL, "/1.43.0") {
			b.Errorf("scope %+v", scope.Scope)
		}
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					points[point(m, p.Attributes)] = float64(p.Value)
				}
			case metricdata.Gauge[int64]:
				for _, p := range d.DataPoints {
					points[point(m, p.Attributes)] = float64(p.Value)
				}
			case metricdata.Gauge[float64]:
				for _, p := range d.DataPoints {
					points[point(m, p.Attributes)] = p.Value
				}
			case metricdata.Histogram[float64]:
				for _, p := range d.DataPoints {
					points[point(m, p.Attributes)] = float64(p.Count)
					if len(p.Bounds) != 14 || p.Bounds[0] != 0.005 || p.Bounds[13] != 10 {
						b.Errorf("%s has bounds %v", m.Name, p.Bounds)
					}
				}
			}
		}
	}
	return points
}

func point(m metricdata.Metrics, set attribute.Set) string {
	var attrs []string
	for _, a := range set.ToSlice() {
		key := strings.TrimPrefix(string(a.Key), "messaging.")
		if key != "server.port" && key != "server.address" && key != "system" {
			attrs = append(attrs, key+"="+a.Value.String())
		}
	}
	slices.Sort(attrs)
	return fmt.Sprintf("%s [%s] {%s}", m.Name, m.Unit, strings.Join(attrs, " "))
}

// wantMetric checks the sum over all points of a metric.
func (b *bubble) wantMetric(name string, want float64) {
	b.Helper()
	sum := 0.0
	for p, v := range b.metrics() {
		if strings.HasPrefix(p, name+" ") {
			sum += v
		}
	}
	if sum != want {
		b.Errorf("%s is %g, want %g", name, sum, want)
	}
}

func TestMetrics(t *testing.T) {
	inBubble(t, []string{"run7.orders"}, func(b *bubble) {
		cl := b.member("shipping", kgo.ConsumeTopics("run7.orders"))
		defer cl.Close()
		for range 3 {
			b.produce(b.Context(), cl, &kgo.Record{Topic: "run7.orders"})
		}
		if err := cl.ProduceSync(b.Context(), &kgo.Record{Topic: "run7.orders", Partition: 9}).FirstErr(); err == nil {
			t.Fatal("a record for partition 9 was sent")
		}
		records := b.poll(cl, 3)
		b.process(records[0])
		b.process(records[1])
		err := b.in.Process(b.Context(), records[2], func(context.Context, *kgo.Record) error { return context.DeadlineExceeded })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Process returned %v", err)
		}
		b.must(b.in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{"run7.orders": {0: {Epoch: -1, Offset: 2}}}))
		got := b.metrics()
		for p := range maps.Clone(got) {
			if strings.HasPrefix(p, "messaging.client.operation.duration [s] {consumer.group.name=shipping destination.template=orders operation.name=poll operation.type=receive}") {
				delete(got, p) // one for each poll that brought something
			}
			if strings.HasPrefix(p, "otelkgo.") {
				delete(got, p) // see TestLag
			}
		}
		want := map[string]float64{
			"messaging.client.sent.messages [{message}] {destination.partition.id=0 destination.template=orders operation.name=send operation.type=send}":                                     3,
			"messaging.client.sent.messages [{message}] {destination.template=orders error.type=*errors.errorString operation.name=send operation.type=send}":                                 1,
			"messaging.client.operation.duration [s] {destination.partition.id=0 destination.template=orders operation.name=send operation.type=send}":                                        3,
			"messaging.client.operation.duration [s] {destination.template=orders error.type=*errors.errorString operation.name=send operation.type=send}":                                    1,
			"messaging.client.operation.duration [s] {consumer.group.name=shipping destination.template=orders operation.name=commit operation.type=settle}":                                  1,
			"messaging.client.consumed.messages [{message}] {consumer.group.name=shipping destination.partition.id=0 destination.template=orders operation.name=poll operation.type=receive}": 3,
			"messaging.process.duration [s] {consumer.group.name=shipping destination.partition.id=0 destination.template=orders operation.name=process operation.type=process}":              2,
			"messaging.process.duration [s] {consumer.group.name=shipping destination.template=orders error.type=timeout operation.name=process operation.type=process}":                      1,
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("metrics (-want +got):\n%s", diff)
		}
	}, otelkgo.WithDestinationTemplate(func(topic string) string { return strings.TrimPrefix(topic, "run7.") }))
}

func TestLag(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		cl := b.member("shipping", kgo.ConsumeTopics("orders"))
		defer cl.Close()
		b.metrics() // somebody collects, so ages are remembered
		const labels = "{consumer.group.name=shipping destination.name=orders destination.partition.id=0}"
		want := func(lag, age float64) {
			t.Helper()
			got := b.metrics()
			if l, a := got["otelkgo.consumer.lag [{record}] "+labels], got["otelkgo.consumer.oldest_message.age [s] "+labels]; l != lag || a != age {
				t.Errorf("lag %g and age %g, want %g and %g", l, a, lag, age)
			}
		}
		commit := func(offset int64) {
			t.Helper()
			b.must(b.in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{"orders": {0: {Epoch: -1, Offset: offset}}}))
		}
		// A virtual start on a whole millisecond, as Kafka's timestamps are.
		for range 3 {
			b.produce(b.Context(), cl, &kgo.Record{Topic: "orders", Timestamp: time.Now()})
			time.Sleep(time.Second - time.Since(time.Now().Truncate(time.Second)))
		}
		records := b.poll(cl, 3)
		age := func(i int) float64 { return time.Since(records[i].Timestamp).Seconds() }
		want(3, age(0))
		commit(1)
		time.Sleep(5 * time.Second)
		want(2, age(1))
		commit(3)
		want(0, 0)
	})
}

// Sent messages are counted in series that clients share, and that outlive them.
func TestSentMessagesOutliveClients(t *testing.T) {
	inBubble(t, []string{"orders"}, func(b *bubble) {
		for n := range 3 {
			cl := b.client()
			b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
			cl.Close()
			b.wantMetric("messaging.client.sent.messages", float64(n+1))
		}
		second, err := otelkgo.New(otelkgo.WithTracerProvider(b.tp), otelkgo.WithMeterProvider(b.mp))
		b.must(err)
		b.in = second
		cl := b.client()
		defer cl.Close()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "orders"})
		b.wantMetric("messaging.client.sent.messages", 4)
	})
}

// Topics without end are counted together beyond the limit of series.
func TestSentMessagesOverflow(t *testing.T) {
	inBubble(t, nil, func(b *bubble) {
		hook := b.in.Hooks()[0].(interface {
			kgo.HookProduceRecordBuffered
			kgo.HookProduceRecordUnbuffered
		})
		for i := range 2100 {
			r := &kgo.Record{Topic: fmt.Sprint("orders-", i)}
			hook.OnProduceRecordBuffered(r)
			hook.OnProduceRecordUnbuffered(r, nil)
		}
		b.wantMetric("messaging.client.sent.messages", 2100)
	})
}

// TestMetricsNameFewTopicsAndGroups: what stands for many topics and groups stands in every metric, the gauges included.
func TestMetricsNameFewTopicsAndGroups(t *testing.T) {
	plain := func(name string) string { return strings.TrimPrefix(name, "run7.") }
	inBubble(t, []string{"run7.orders"}, func(b *bubble) {
		cl := b.member("run7.shipping", kgo.ConsumeTopics("run7.orders"))
		defer cl.Close()
		b.metrics()
		b.produce(b.Context(), cl, &kgo.Record{Topic: "run7.orders"})
		b.process(b.poll(cl, 1)[0])
		b.must(b.in.CommitOffsets(b.Context(), cl, map[string]map[int32]kgo.EpochOffset{"run7.orders": {0: {Epoch: -1, Offset: 1}}}))
		got := b.metrics()
		for p := range got {
			if strings.Contains(p, "run7") {
				t.Errorf("%s names the run", p)
			}
		}
		if _, ok := got["otelkgo.consumer.lag [{record}] {consumer.group.name=shipping destination.partition.id=0 destination.template=orders}"]; !ok {
			t.Errorf("no lag of the topic and the group under their short names: %v", got)
		}
		for _, span := range b.spans.Ended() {
			if span.Name() == "process orders" && !strings.Contains(fmt.Sprint(span.Attributes()), "run7.shipping") {
				t.Errorf("the span does not name its group as it is: %v", span.Attributes())
			}
		}
	}, otelkgo.WithDestinationTemplate(plain), otelkgo.WithGroupName(plain))
}
