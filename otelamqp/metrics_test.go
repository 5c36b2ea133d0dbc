package otelamqp_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"tracelab/otelamqp"
)

// metrics collects and returns "name [unit] {attributes}" and the value for every
// point, the number of values for a histogram.
func (b *bubble) metrics() map[string]float64 {
	b.Helper()
	var all metricdata.ResourceMetrics
	b.must(b.meters.Collect(b.Context(), &all))
	points := map[string]float64{}
	for _, scope := range all.ScopeMetrics {
		if scope.Scope.Name != otelamqp.ScopeName || !strings.HasSuffix(scope.Scope.SchemaURL, "/1.43.0") {
			b.Errorf("scope %+v", scope.Scope)
		}
		for _, m := range scope.Metrics {
			switch d := m.Data.(type) {
			case metricdata.Sum[int64]:
				for _, p := range d.DataPoints {
					points[point(m, p.Attributes)] = float64(p.Value)
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
		attrs = append(attrs, strings.TrimPrefix(string(a.Key), "messaging.")+"="+a.Value.String())
	}
	slices.Sort(attrs)
	return fmt.Sprintf("%s [%s] {%s}", m.Name, m.Unit, strings.Join(attrs, " "))
}

// wantMetric checks the sum over the points of a metric that have an attribute.
func (b *bubble) wantMetric(name, attribute string, want float64) {
	b.Helper()
	points := b.metrics()
	sum := 0.0
	for p, v := range points {
		if strings.HasPrefix(p, name+" ") && strings.Contains(p, attribute) {
			sum += v
		}
	}
	if sum != want {
		b.Errorf("%s with %s is %v, want %v, of\n%s", name, attribute, sum, want, strings.Join(slices.Sorted(maps.Keys(points)), "\n"))
	}
}

func TestMetrics(t *testing.T) {
	inBubble(t, func(b *bubble) {
		b.publishAll("placed", "placed")
		_ = b.ch.PublishConfirmed(b.Context(), "orders", "nowhere", true, amqp.Publishing{})
		ds := b.consume(b.ch, "shipping", 2)
		b.must(b.in.Process(b.Context(), ds[0], func(context.Context, amqp.Delivery) error { return nil }))
		_ = b.in.Process(b.Context(), ds[1], func(context.Context, amqp.Delivery) error { return errors.New("no stock") })
		b.must(ds[1].Ack(true))
		const common = "lab=a operation.name=%s operation.type=%s server.address=rabbit.example server.port=5672 system=rabbitmq}"
		want := map[string]float64{}
		for _, p := range []struct {
			name, destination, failed, op, typ string
			n                                  float64
		}{
			{"messaging.client.operation.duration [s]", "orders:placed", "", "send", "send", 2},
			{"messaging.client.operation.duration [s]", "orders:nowhere", "NO_ROUTE", "send", "send", 1},
			{"messaging.client.operation.duration [s]", "orders:placed:shipping", "", "ack", "settle", 1},
			{"messaging.client.sent.messages [{message}]", "orders:placed", "", "send", "send", 2},
			{"messaging.client.sent.messages [{message}]", "orders:nowhere", "NO_ROUTE", "send", "send", 1},
			{"messaging.client.consumed.messages [{message}]", "orders:placed:shipping", "", "process", "process", 2},
			{"messaging.process.duration [s]", "orders:placed:shipping", "", "process", "process", 1},
			{"messaging.process.duration [s]", "orders:placed:shipping", "*errors.errorString", "process", "process", 1},
		} {
			attrs := "destination.name=" + p.destination + " "
			if p.failed != "" {
				attrs += "error.type=" + p.failed + " "
			}
			want[p.name+" {"+attrs+fmt.Sprintf(common, p.op, p.typ)] = p.n
		}
		if got := b.metrics(); !maps.Equal(got, want) {
			t.Errorf("metrics\n%s\nwant\n%s", listed(got), listed(want))
		}
	}, otelamqp.WithMetricAttributes(attribute.String("lab", "a"), attribute.String("messaging.system", "mine")))
}

func listed(points map[string]float64) string {
	var lines []string
	for p, v := range points {
		lines = append(lines, fmt.Sprintf("%s %v", p, v))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
