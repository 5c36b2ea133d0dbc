package telemetry

import (
	"context"
	"runtime/pprof"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/propagation"
)

// labelled is a configuration whose services are put under labels.
func labelled() Config {
	return Config{Profiled: true, Propagator: propagation.Baggage{}, Form: func(ctx context.Context) string {
		return baggage.FromContext(ctx).Member("form").Value()
	}}
}

// labelsOf lists the labels of a context.
func labelsOf(ctx context.Context) map[string]string {
	found := map[string]string{}
	pprof.ForLabels(ctx, func(key, value string) bool { found[key] = value; return true })
	return found
}

func TestLabelsOfAnOrderAndItsStep(t *testing.T) {
	p, err := labelled().New("payment")
	if err != nil {
		t.Fatal(err)
	}
	defer pprof.SetGoroutineLabels(context.Background())
	order := p.Labels.Order(t.Context(), "a=1", "form=kafka")
	if got := labelsOf(order); len(got) != 2 || got[LabelService] != "payment" || got[LabelForm] != "kafka" {
		t.Errorf("an order: %v", got)
	}
	step, end := p.Labels.Step(order, "payment.Charge")
	if got := labelsOf(step); len(got) != 3 || got[LabelStep] != "payment.Charge" || got[LabelForm] != "kafka" {
		t.Errorf("its step: %v", got)
	}
	end()
	if baggage.FromContext(order).Len() != 0 {
		t.Error("the order's baggage is in the context before the instrumentation has put it there")
	}
}

// BenchmarkLabels is what a message costs in labels: it arrives, does a step, and is done.
//
//	go test -run '^$' -bench Labels ./internal/telemetry
func BenchmarkLabels(b *testing.B) {
	for name, config := range map[string]Config{"off": {}, "on": labelled()} {
		b.Run(name, func(b *testing.B) {
			p, err := config.New("payment")
			if err != nil {
				b.Fatal(err)
			}
			defer pprof.SetGoroutineLabels(context.Background())
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				_, end := p.Labels.Step(p.Labels.Order(ctx, "form=kafka"), "payment.Charge")
				end()
				p.Labels.Service()
			}
		})
	}
}
