package otelkgo

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"
)

// counters hold messaging.client.sent.messages. Adding to an atomic number for
// each record, and reporting it when somebody collects, costs a tenth of adding
// to an instrument of the SDK. Clients share them, and they outlive clients, as
// the numbers may never fall.
type counters struct {
	mu    sync.Mutex
	bySet map[attribute.Distinct]*counter
	// overflow counts what has no counter of its own, as in the SDK.
	overflow *counter
}

// maxCounters is the SDK's default limit for the series of one metric.
const maxCounters = 2000

// counter is one series.
type counter struct {
	n       atomic.Int64
	observe []metric.ObserveOption
}

func newCounter(set attribute.Set) *counter {
	return &counter{observe: []metric.ObserveOption{metric.WithAttributeSet(set)}}
}

// get returns the counter of these attributes.
func (c *counters) get(attrs ...attribute.KeyValue) *counter {
	set := attribute.NewSet(attrs...)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.bySet[set.Equivalent()]; known != nil {
		return known
	}
	if len(c.bySet) >= maxCounters {
		if c.overflow == nil {
			c.overflow = newCounter(attribute.NewSet(attribute.Bool("otel.metric.overflow", true)))
		}
		return c.overflow
	}
	if c.bySet == nil {
		c.bySet = map[attribute.Distinct]*counter{}
	}
	fresh := newCounter(set)
	c.bySet[set.Equivalent()] = fresh
	return fresh
}

// all returns the counters that there are.
func (c *counters) all() []*counter {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*counter, 0, len(c.bySet)+1)
	for _, one := range c.bySet {
		all = append(all, one)
	}
	if c.overflow != nil {
		all = append(all, c.overflow)
	}
	return all
}

// observeSent registers the counter of sent messages.
func (in *Instrumentation) observeSent(m metric.Meter) error {
	convention, err := messagingconv.NewClientSentMessagesObservable(m)
	if err != nil {
		return fmt.Errorf("otelkgo: metric %s: %w", convention.Name(), err)
	}
	sent := convention.Inst()
	_, err = m.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, c := range in.sent.all() {
			if n := c.n.Load(); n > 0 {
				o.ObserveInt64(sent, n, c.observe...)
			}
		}
		return nil
	}, sent)
	if err != nil {
		return fmt.Errorf("otelkgo: metric %s: %w", convention.Name(), err)
	}
	return nil
}
