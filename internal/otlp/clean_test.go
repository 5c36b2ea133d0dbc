package otlp

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/instrumentation"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"tracelab/internal/testkit"
)

// fill sets every string of a message, and of all that may be in it, to a text.
func fill(m protoreflect.Message, text string, depth int) {
	if depth > 9 {
		return
	}
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		switch {
		case field.Kind() == protoreflect.StringKind && field.IsList():
			m.Mutable(field).List().Append(protoreflect.ValueOfString(text))
		case field.Kind() == protoreflect.StringKind:
			m.Set(field, protoreflect.ValueOfString(text))
		case field.Kind() == protoreflect.MessageKind && field.IsList():
			for range 3 { // for each of the things that a value may be
				inside := m.Mutable(field).List().AppendMutable().Message()
				fill(inside, text, depth+1)
				vary(inside, m.Get(field).List().Len(), text, depth+1)
			}
		case field.Kind() == protoreflect.MessageKind && field.ContainingOneof() == nil:
			fill(m.Mutable(field).Message(), text, depth+1)
		}
	}
}

// vary makes the value of an attribute a list or a map.
func vary(m protoreflect.Message, n int, text string, depth int) {
	value := m.Descriptor().Fields().ByName("value")
	if value == nil || value.Kind() != protoreflect.MessageKind || n < 2 {
		return
	}
	inside := m.Mutable(value).Message()
	field := inside.Descriptor().Fields().ByName(map[int]protoreflect.Name{2: "array_value", 3: "kvlist_value"}[n])
	fill(inside.Mutable(field).Message(), text, depth+1)
}

func filled(text string) *tracepb.TracesData {
	data := &tracepb.TracesData{}
	fill(data.ProtoReflect(), text, 0)
	return data
}

// TestEveryStringOfASpanIsCleaned holds for whatever strings the protocol has.
func TestEveryStringOfASpanIsCleaned(t *testing.T) {
	data := filled("a\xffb\xf0\x9f\x98")
	if _, err := proto.Marshal(data); err == nil {
		t.Fatal("protobuf takes what is not UTF-8: there is nothing to test")
	}
	cleanSpans(data.GetResourceSpans())
	batch, err := proto.Marshal(data)
	if err != nil {
		t.Fatalf("after cleaning: %v", err)
	}
	if !bytes.Contains(batch, []byte("a\uFFFDb\uFFFD")) {
		t.Error("the characters around bad bytes are not kept")
	}
	clean := filled("Grüße")
	same := proto.Clone(clean)
	if cleanSpans(clean.GetResourceSpans()); !proto.Equal(clean, same) {
		t.Error("clean strings are changed")
	}
}

// TestWhatIsReceivedIsCleaned sends such spans to a receiver: whatever reads what it keeps gets UTF-8.
func TestWhatIsReceivedIsCleaned(t *testing.T) {
	s, overGRPC, overHTTP := receive(t, defaultTimeouts)
	data := filled("aQQb")
	for _, r := range data.GetResourceSpans() {
		r.Resource.EntityRefs = nil // refused: see below
	}
	plain, err := proto.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	dirty := bytes.ReplaceAll(plain, []byte("QQ"), []byte("\xff\xfe"))
	if err := exportBytes(t, overGRPC, dirty); err != nil {
		t.Error(err)
	}
	if status, answer, _ := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeProtobuf, "", dirty); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	inJSON := `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"` + "a\xffb" + `"}]}]}]}`
	if status, answer, _ := post(t, http.MethodPost, "http://"+overHTTP+tracesPath, typeJSON, "", []byte(inJSON)); status != http.StatusOK {
		t.Errorf("%d %s", status, answer)
	}
	if len(s.batches) != 3 {
		t.Fatalf("%d batches", len(s.batches))
	}
	for i, batch := range s.batches {
		var kept tracepb.TracesData
		if err := proto.Unmarshal(batch, &kept); err != nil {
			t.Errorf("batch %d: %v", i, err)
			continue
		}
		if name := kept.GetResourceSpans()[0].GetScopeSpans()[0].GetSpans()[0].GetName(); name != "a\uFFFDb" {
			t.Errorf("batch %d: a span's name is %q", i, name)
		}
	}
	entity := testkit.Wrap([]byte("\xff"), 2, 3, 1, 1)
	if err := exportBytes(t, overGRPC, entity); err == nil || !strings.Contains(err.Error(), "UTF-8") {
		t.Errorf("an entity that is not UTF-8: %v", err)
	}
}

// TestMetricsAreCleaned has such strings wherever metrics have any, and an endpoint of the real library.
func TestMetricsAreCleaned(t *testing.T) {
	const bad = "a\xffb"
	set := attribute.NewSet(attribute.String(bad, bad), attribute.StringSlice("list", []string{bad}), attribute.Int("n", 1),
		attribute.KeyValue{Key: "map", Value: attribute.MapValue(attribute.String(bad, bad))},
		attribute.KeyValue{Key: "slice", Value: attribute.SliceValue(attribute.StringValue(bad))})
	exemplars := []metricdata.Exemplar[int64]{{FilteredAttributes: set.ToSlice()}}
	exemplarsOfFloats := []metricdata.Exemplar[float64]{{FilteredAttributes: set.ToSlice()}}
	data := &metricdata.ResourceMetrics{
		Resource: resource.NewSchemaless(set.ToSlice()...),
		ScopeMetrics: []metricdata.ScopeMetrics{{
			Scope: instrumentation.Scope{Name: bad, Version: bad, SchemaURL: bad, Attributes: set},
			Metrics: []metricdata.Metrics{
				{Name: bad, Description: bad, Unit: bad, Data: metricdata.Gauge[int64]{DataPoints: []metricdata.DataPoint[int64]{{Attributes: set, Exemplars: exemplars}}}},
				{Data: metricdata.Sum[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.DataPoint[float64]{{Attributes: set, Exemplars: exemplarsOfFloats}}}},
				{Data: metricdata.Histogram[float64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.HistogramDataPoint[float64]{{Attributes: set, Exemplars: exemplarsOfFloats}}}},
				{Data: metricdata.ExponentialHistogram[int64]{Temporality: metricdata.CumulativeTemporality, DataPoints: []metricdata.ExponentialHistogramDataPoint[int64]{{Attributes: set, Exemplars: exemplars}}}},
				{Data: metricdata.Summary{DataPoints: []metricdata.SummaryDataPoint{{Attributes: set}}}},
			},
		}},
	}
	sink := serveMetrics(t)
	exporter, err := NewMetricExporter(t.Context(), endpoint(t, sink.URL))
	if err != nil {
		t.Fatal(err)
	}
	if err := exporter.Export(t.Context(), data); err != nil {
		t.Errorf("metrics with text that is not UTF-8: %v", err)
	}
	if err := exporter.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
	if !utf8.ValidString(data.ScopeMetrics[0].Metrics[0].Name) || set.Len() != 5 {
		t.Error("the metric's name is not cleaned, or a shared set was changed")
	}
}

// BenchmarkClean is what cleaning costs of an export: 512 spans of ten attributes.
func BenchmarkClean(b *testing.B) {
	batch := spansToSend(512)
	b.Run("clean", func(b *testing.B) {
		for b.Loop() {
			cleanSpans(batch)
		}
	})
	b.Run("marshal", func(b *testing.B) {
		for b.Loop() {
			if _, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: batch}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
