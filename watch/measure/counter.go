package measure

import (
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// maxSeries limits the series of one counter. Further ones are counted in one series with the attribute otel.metric.overflow.
const maxSeries = 2000

// counter is an observable counter that shows each series as 0 the first time it is collected. The Meter's lock guards it.
type counter struct {
	instrument metric.Float64ObservableCounter
	series     map[attribute.Set]*series
	ended      bool // report all counts, also those of new series
}

type series struct {
	sum   float64
	shown bool // it was reported as 0
}

func newCounter(instrument metric.Float64ObservableCounter) *counter {
	return &counter{instrument: instrument, series: map[attribute.Set]*series{}}
}

// add adds to a series. Adding 0 creates it.
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

// observe reports all series. It returns false when it kept something back, since a new series shows 0 first.
func (c *counter) observe(o metric.Observer) (whole bool) {
	whole = true
	for by, x := range c.series {
		value := x.sum
		if !x.shown && !c.ended {
			whole = whole && value == 0
			value = 0
		}
		x.shown = true
		o.ObserveFloat64(c.instrument, value, metric.WithAttributeSet(by))
	}
	return whole
}
