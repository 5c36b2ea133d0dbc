package services

import (
	"context"
	"sync"

	"go.opentelemetry.io/otel/attribute"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
)

// meters keeps the readers of a lab's services, so that a test can look at what they measure.
type meters struct {
	mu      sync.Mutex
	readers []*sdkmetric.ManualReader
}

// reader is Config.Telemetry.Reader.
func (m *meters) reader() sdkmetric.Reader {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.readers = append(m.readers, sdkmetric.NewManualReader())
	return m.readers[len(m.readers)-1]
}

// measured makes a lab measure.
func (m *meters) measured(c *Config) { c.Telemetry.Reader = m.reader }

// series is one series of a metric: its sum, or its count when it is a histogram.
type series struct {
	service, name string
	attributes    map[attribute.Key]string
	value         int64
	exemplars     []metricdata.Exemplar[float64]
}

// all collects every series of all services.
func (l *testLab) all(m *meters) []series {
	l.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []series
	for _, reader := range m.readers {
		var data metricdata.ResourceMetrics
		l.must(reader.Collect(context.Background(), &data))
		service, _ := data.Resource.Set().Value("service.name")
		for _, scope := range data.ScopeMetrics {
			for _, metrics := range scope.Metrics {
				for _, s := range seriesOf(metrics) {
					s.service, s.name = service.AsString(), metrics.Name
					found = append(found, s)
				}
			}
		}
	}
	return found
}

// named collects the series of one metric.
func (l *testLab) named(m *meters, name string) []series {
	l.Helper()
	var found []series
	for _, s := range l.all(m) {
		if s.name == name {
			found = append(found, s)
		}
	}
	return found
}

// sum adds the series of a metric that have an error.type; "" adds all.
func (l *testLab) sum(m *meters, name, errorType string) (sum int) {
	l.Helper()
	for _, s := range l.named(m, name) {
		if errorType == "" || s.attributes["error.type"] == errorType {
			sum += int(s.value)
		}
	}
	return sum
}

func seriesOf(m metricdata.Metrics) []series {
	var found []series
	add := func(set attribute.Set, value int64, exemplars []metricdata.Exemplar[float64]) {
		s := series{attributes: map[attribute.Key]string{}, value: value, exemplars: exemplars}
		for _, kv := range set.ToSlice() {
			s.attributes[kv.Key] = kv.Value.String()
		}
		found = append(found, s)
	}
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, point.Value, nil)
		}
	case metricdata.Gauge[int64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, point.Value, nil)
		}
	case metricdata.Gauge[float64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, 0, nil)
		}
	case metricdata.Histogram[float64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, int64(point.Count), point.Exemplars)
		}
	case metricdata.Histogram[int64]:
		for _, point := range data.DataPoints {
			add(point.Attributes, int64(point.Count), nil)
		}
	}
	return found
}
