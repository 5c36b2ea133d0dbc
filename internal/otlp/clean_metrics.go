package otlp

import (
	"context"
	"slices"
	"unicode/utf8"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/resource"

	"tracelab/internal/text"
)

// cleanMetricExporter cleans every string before its exporter sees it, see text.Clean.
type cleanMetricExporter struct{ sdkmetric.Exporter }

// Export cleans and exports. A reader makes new points for each export, so they are changed in place; resources, scopes and
// attributes are shared, so they are replaced.
func (e cleanMetricExporter) Export(ctx context.Context, data *metricdata.ResourceMetrics) error {
	if r := data.Resource; r != nil {
		if attributes, dirty := cleanKeyValues(r.Attributes()); dirty {
			data.Resource = resource.NewWithAttributes(text.Clean(r.SchemaURL()), attributes...)
		}
	}
	for i := range data.ScopeMetrics {
		s := &data.ScopeMetrics[i]
		s.Scope.Name, s.Scope.Version, s.Scope.SchemaURL = text.Clean(s.Scope.Name), text.Clean(s.Scope.Version), text.Clean(s.Scope.SchemaURL)
		cleanSet(&s.Scope.Attributes)
		for j := range s.Metrics {
			m := &s.Metrics[j]
			m.Name, m.Description, m.Unit = text.Clean(m.Name), text.Clean(m.Description), text.Clean(m.Unit)
			cleanPoints(m.Data)
		}
	}
	return e.Exporter.Export(ctx, data) //nolint:wrapcheck // it is this exporter's error
}

// cleanPoints cleans the attributes of all points and exemplars.
func cleanPoints(data metricdata.Aggregation) {
	switch d := data.(type) {
	case metricdata.Gauge[int64]:
		cleanNumbers(d.DataPoints)
	case metricdata.Gauge[float64]:
		cleanNumbers(d.DataPoints)
	case metricdata.Sum[int64]:
		cleanNumbers(d.DataPoints)
	case metricdata.Sum[float64]:
		cleanNumbers(d.DataPoints)
	case metricdata.Histogram[int64]:
		cleanHistograms(d.DataPoints)
	case metricdata.Histogram[float64]:
		cleanHistograms(d.DataPoints)
	case metricdata.ExponentialHistogram[int64]:
		cleanExponential(d.DataPoints)
	case metricdata.ExponentialHistogram[float64]:
		cleanExponential(d.DataPoints)
	case metricdata.Summary:
		for i := range d.DataPoints {
			cleanSet(&d.DataPoints[i].Attributes)
		}
	}
}

func cleanNumbers[N int64 | float64](points []metricdata.DataPoint[N]) {
	for i := range points {
		cleanSet(&points[i].Attributes)
		cleanExemplars(points[i].Exemplars)
	}
}

func cleanHistograms[N int64 | float64](points []metricdata.HistogramDataPoint[N]) {
	for i := range points {
		cleanSet(&points[i].Attributes)
		cleanExemplars(points[i].Exemplars)
	}
}

func cleanExponential[N int64 | float64](points []metricdata.ExponentialHistogramDataPoint[N]) {
	for i := range points {
		cleanSet(&points[i].Attributes)
		cleanExemplars(points[i].Exemplars)
	}
}

func cleanExemplars[N int64 | float64](exemplars []metricdata.Exemplar[N]) {
	for i := range exemplars {
		exemplars[i].FilteredAttributes, _ = cleanKeyValues(exemplars[i].FilteredAttributes)
	}
}

func cleanSet(set *attribute.Set) {
	for i := range set.Len() {
		if kv, _ := set.Get(i); isClean(kv) {
			continue
		}
		attributes, _ := cleanKeyValues(set.ToSlice())
		*set = attribute.NewSet(attributes...)
		return
	}
}

// cleanKeyValues returns the attributes as they are, or a clean copy.
func cleanKeyValues(attributes []attribute.KeyValue) (cleaned []attribute.KeyValue, dirty bool) {
	if !slices.ContainsFunc(attributes, func(kv attribute.KeyValue) bool { return !isClean(kv) }) {
		return attributes, false
	}
	cleaned = make([]attribute.KeyValue, len(attributes))
	for i, kv := range attributes {
		cleaned[i] = attribute.KeyValue{Key: attribute.Key(text.Clean(string(kv.Key))), Value: cleanAttribute(kv.Value)}
	}
	return cleaned, true
}

func isClean(kv attribute.KeyValue) bool {
	return utf8.ValidString(string(kv.Key)) && isCleanValue(kv.Value)
}

func isCleanValue(v attribute.Value) bool {
	switch v.Type() {
	case attribute.STRING:
		return utf8.ValidString(v.AsString())
	case attribute.STRINGSLICE:
		return !slices.ContainsFunc(v.AsStringSlice(), func(s string) bool { return !utf8.ValidString(s) })
	case attribute.SLICE:
		return !slices.ContainsFunc(v.AsSlice(), func(v attribute.Value) bool { return !isCleanValue(v) })
	case attribute.MAP:
		return !slices.ContainsFunc(v.AsMap(), func(kv attribute.KeyValue) bool { return !isClean(kv) })
	default:
		return true
	}
}

func cleanAttribute(v attribute.Value) attribute.Value {
	switch v.Type() {
	case attribute.STRING:
		return attribute.StringValue(text.Clean(v.AsString()))
	case attribute.STRINGSLICE:
		texts := slices.Clone(v.AsStringSlice())
		cleanAll(texts)
		return attribute.StringSliceValue(texts)
	case attribute.SLICE:
		values := slices.Clone(v.AsSlice())
		for i := range values {
			values[i] = cleanAttribute(values[i])
		}
		return attribute.SliceValue(values...)
	case attribute.MAP:
		attributes, _ := cleanKeyValues(v.AsMap())
		return attribute.MapValue(attributes...)
	default:
		return v
	}
}
