package lab

import (
	"context"
	"fmt"
	"sync"

	"go.opentelemetry.io/collector/pdata/ptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Collector keeps every span that reaches the lab, as OTLP protobuf: a few large blocks of bytes, which the garbage
// collector does not have to walk while orders are being timed. Spans come from this process, through an exporter
// whose client the collector is, or from elsewhere, through a Receiver.
type Collector struct {
	mu      sync.Mutex
	batches [][]byte
	changed chan struct{} // closed and replaced when a batch comes
}

// NewCollector makes an empty one.
func NewCollector() *Collector { return &Collector{changed: make(chan struct{})} }

// Start is part of otlptrace.Client; there is nothing to connect to.
func (c *Collector) Start(context.Context) error { return nil }

// Stop is part of otlptrace.Client; what was collected stays.
func (c *Collector) Stop(context.Context) error { return nil }

// UploadTraces takes spans from an exporter in this process.
func (c *Collector) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	batch, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("keep spans: %w", err)
	}
	c.Add(batch)
	return nil
}

// Add takes spans as an OTLP protobuf TracesData (or an export request, which is the same on the wire).
func (c *Collector) Add(batch []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.batches = append(c.batches, batch)
	close(c.changed)
	c.changed = make(chan struct{})
}

// From returns the batches from the n-th on, and a channel that is closed when there are more.
func (c *Collector) From(n int) (batches [][]byte, more <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.batches[n:len(c.batches):len(c.batches)], c.changed
}

// decode reads a batch. Batches that could not be read would have been refused when they came.
func decode(batch []byte) (ptrace.Traces, error) {
	traces, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(batch)
	if err != nil {
		return traces, fmt.Errorf("read collected spans: %w", err)
	}
	return traces, nil
}
