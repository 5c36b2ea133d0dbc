package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
)

// sending has the records without an acknowledgement. A client that is closed just when a connection breaks forgets records that were
// being sent: no hook is called for them, so their spans would stay open.
type sending struct {
	mu      sync.Mutex
	records map[*kgo.Record]trace.Span
}

// OnProduceRecordBuffered adds a record before it is sent, after the hook that begins its span.
func (s *sending) OnProduceRecordBuffered(r *kgo.Record) {
	if r.Context == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.records == nil {
		s.records = map[*kgo.Record]trace.Span{}
	}
	s.records[r] = trace.SpanFromContext(r.Context)
}

func (s *sending) end(r *kgo.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, r)
}

// abandon ends the spans of the remaining records, when the client is closed.
func (s *sending) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, span := range s.records {
		span.SetStatus(codes.Error, "the client was closed before the broker acknowledged the record")
		span.End()
	}
	s.records = nil
}
