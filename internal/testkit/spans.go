package testkit

import (
	"context"
	"fmt"
	"sync"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// SpanStore keeps every batch of spans that it gets, as the client of an exporter in the same process or as the store of a
// receiver.
type SpanStore struct {
	mu      sync.Mutex
	batches [][]byte
	changed chan struct{} // closed and replaced when a batch comes
}

// NewSpanStore makes an empty one.
func NewSpanStore() *SpanStore { return &SpanStore{changed: make(chan struct{})} }

// Start is part of otlptrace.Client; there is nothing to connect to.
func (s *SpanStore) Start(context.Context) error { return nil }

// Stop is part of otlptrace.Client; what was collected stays.
func (s *SpanStore) Stop(context.Context) error { return nil }

// UploadTraces takes spans from an exporter in this process.
func (s *SpanStore) UploadTraces(_ context.Context, spans []*tracepb.ResourceSpans) error {
	batch, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil {
		return fmt.Errorf("keep spans: %w", err)
	}
	s.Add(batch)
	return nil
}

// Add takes spans as an OTLP protobuf TracesData (or an export request, which is the same on the wire).
func (s *SpanStore) Add(batch []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batches = append(s.batches, batch)
	close(s.changed)
	s.changed = make(chan struct{})
}

// From returns the batches from the n-th on, and a channel that is closed when there are more.
func (s *SpanStore) From(n int) (batches [][]byte, more <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.batches[n:len(s.batches):len(s.batches)], s.changed
}
