package telemetry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"testing"

	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// spanOf makes one span with a provider and returns it as the processors see it.
func spanOf(ctx context.Context, t *testing.T, c Config, service string) sdktrace.ReadOnlySpan {
	t.Helper()
	recorder := tracetest.NewSpanRecorder()
	c.Processors = append(c.Processors, recorder)
	p, err := c.New(service)
	if err != nil {
		t.Fatal(err)
	}
	_, span := p.Tracer.Start(ctx, "span")
	span.End()
	return recorder.Ended()[0]
}

func TestResources(t *testing.T) {
	config := Config{Version: "v7", Host: "lab-host", Instance: "42", Flow: "ride"}
	for _, service := range []string{"gateway", "orders"} {
		span := spanOf(t.Context(), t, config, service)
		set := span.Resource().Set()
		for key, want := range map[string]string{
			string(semconv.ServiceNameKey): service, string(semconv.ServiceInstanceIDKey): service + "-42", string(semconv.ServiceVersionKey): "v7",
			string(semconv.HostIDKey): "lab-host", string(semconv.HostNameKey): "lab-host", string(FlowKey): "ride", // the same for all, or Jaeger sees clock skew
		} {
			found := false
			for _, kv := range set.ToSlice() {
				found = found || string(kv.Key) == key && kv.Value.AsString() == want
			}
			if !found {
				t.Errorf("%s: no %s=%s in %v", service, key, want, set.ToSlice())
			}
		}
		if span.Resource().SchemaURL() != semconv.SchemaURL || span.InstrumentationScope().SchemaURL != semconv.SchemaURL {
			t.Errorf("%s: schema %s of the resource, %s of the scope, want %s", service, span.Resource().SchemaURL(), span.InstrumentationScope().SchemaURL, semconv.SchemaURL)
		}
	}
}

func TestOnlyListedBaggageBecomesAttributes(t *testing.T) {
	bag, err := baggage.Parse("tracelab.form=grpc,secret=1,tracelab.seed=9")
	if err != nil {
		t.Fatal(err)
	}
	span := spanOf(baggage.ContextWithBaggage(t.Context(), bag), t, Config{BaggageKeys: []string{"tracelab.form"}}, "orders")
	if a := span.Attributes(); len(a) != 1 || a[0].Key != "tracelab.form" || a[0].Value.AsString() != "grpc" {
		t.Errorf("attributes %v, want tracelab.form=grpc alone", a)
	}
}

func TestLogRecordsCarryTheSpan(t *testing.T) {
	var text bytes.Buffer
	p, err := Config{Logs: slog.NewJSONHandler(&text, nil)}.New("orders")
	if err != nil {
		t.Fatal(err)
	}
	ctx, span := p.Tracer.Start(t.Context(), "span")
	defer span.End()
	p.Log.With("a", 1).InfoContext(ctx, "with a span")
	p.Log.Info("without")
	var with, without map[string]any
	decoder := json.NewDecoder(&text)
	if err := errors.Join(decoder.Decode(&with), decoder.Decode(&without)); err != nil {
		t.Fatal(err)
	}
	sc := span.SpanContext()
	if with["trace_id"] != sc.TraceID().String() || with["span_id"] != sc.SpanID().String() || with["service"] != "orders" {
		t.Errorf("%v, want the ids of %v and the service", with, sc)
	}
	if _, ok := without["trace_id"]; ok {
		t.Errorf("%v: a record outside any span has a trace_id", without)
	}
}

// TestASharedProcessorOutlivesAProvider: one service's shutdown must not end the queue of all the others.
func TestASharedProcessorOutlivesAProvider(t *testing.T) {
	e := &exporter{}
	q := NewQueue(e, QueueConfig{})
	config := Config{Processors: []sdktrace.SpanProcessor{q}}
	for i, service := range []string{"gateway", "orders"} {
		spanOf(t.Context(), t, config, service)
		if e.shut != 0 || int(q.Counts().Started) != i+1 {
			t.Errorf("after the shutdown of %s: %+v, exporter shut down %d times: want %d started and an exporter that goes on", service, q.Counts(), e.shut, i+1)
		}
	}
	if err := q.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if c := checkBalance(t, q, e); c.Exported != 2 {
		t.Errorf("%+v, want both exported in the end", c)
	}
}

func TestMarkFailed(t *testing.T) {
	recorder := tracetest.NewSpanRecorder()
	p, err := Config{Processors: []sdktrace.SpanProcessor{recorder}}.New("payment")
	if err != nil {
		t.Fatal(err)
	}
	_, span := p.Tracer.Start(t.Context(), "span")
	MarkFailed(span, "payment_declined", errors.New("no money"))
	span.End()
	got := recorder.Ended()[0]
	if got.Status().Code != codes.Error || got.Status().Description != "no money" || got.Attributes()[0] != semconv.ErrorTypeKey.String("payment_declined") {
		t.Errorf("status %v, attributes %v", got.Status(), got.Attributes())
	}
}
