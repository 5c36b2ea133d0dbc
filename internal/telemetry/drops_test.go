package telemetry

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// TestDroppedSpansAreCountedByGroup drops spans of some groups, and of more groups than are kept.
func TestDroppedSpansAreCountedByGroup(t *testing.T) {
	e := &exporter{export: func(context.Context) error { return errors.New("collector is away") }}
	q := NewQueue(e, QueueConfig{GroupBy: []attribute.Key{"run", "form"}, Size: 20_000})
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(q))
	start := func(attributes ...attribute.KeyValue) {
		_, span := provider.Tracer("test").Start(t.Context(), "span", trace.WithAttributes(attributes...))
		span.End()
	}
	for range 3 {
		start(attribute.String("run", "r"), attribute.String("form", "grpc"), attribute.Int("other", 1))
	}
	start(attribute.String("form", "kafka"), attribute.String("run", "r"))
	start()
	for i := range 2 * maxDropGroups {
		start(attribute.String("run", strconv.Itoa(i)))
	}
	if err := q.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		want      int64
		run, form string
	}{{3, "r", "grpc"}, {1, "r", "kafka"}, {1, "", ""}, {1, "0", ""}, {0, strconv.Itoa(2*maxDropGroups - 1), ""}} {
		if got := q.DroppedOf(c.run, c.form); got != c.want {
			t.Errorf("run %q, form %q: %d dropped, want %d", c.run, c.form, got, c.want)
		}
	}
	if c := q.Counts(); c.Dropped != 2*maxDropGroups+5 || len(q.drops.count) != maxDropGroups {
		t.Errorf("%+v in %d groups", c, len(q.drops.count))
	}
}
