package measure

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maxSeries bounds the series of one counter: what comes on top is in one series without attributes but the mark that
// OpenTelemetry has for it.
const maxSeries = 2000

// counter is an observable counter that shows each series as 0 the first time it is collected. The Meter's lock guards it.
type counter struct {
	instrument metric.Float64ObservableCounter
	series     map[attribute.Set]*series
	ended      bool // all is shown
}

type series struct {
	sum   float64
	shown bool // as 0
}

func newCounter(instrument metric.Float64ObservableCounter) *counter {
	return &counter{instrument: instrument, series: map[attribute.Set]*series{}}
}

// add counts; 0 makes the series.
func (c *counter) add(by attribute.Set, n float64) {
	x := c.series[by]
	if x == nil {
		if len(c.series) >= maxSeries {
			by = attribute.NewSet(attribute.Bool("otel.metric.overflow", true))
		}
		if x = c.series[by]; x == nil {
			x = new(series)
			c.series[by] = x
		}
	}
	x.sum += n
}

func (c *counter) observe(o metric.Observer) {
	for by, x := range c.series {
		value := x.sum
		if !x.shown && !c.ended {
			value = 0
		}
		x.shown = true
		o.ObserveFloat64(c.instrument, value, metric.WithAttributeSet(by))
	}
}
