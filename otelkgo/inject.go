package otelkgo

import (
	"context"

	"github.com/twmb/franz-go/pkg/kgo"
)

// injection is the carrier by which the context is written into a record, and
// the room for what is written, as most records need it: one allocation for
// the slice of headers (traceparent and baggage) and the values of the small ones.
type injection struct {
	RecordCarrier
	headers [2]kgo.RecordHeader
	text    [55]byte // a traceparent
	used    uint8    // of text
}

// inject writes the context into the headers of r and removes what else of a
// context is there: an old tracestate or baggage must not join a new trace. It
// makes a new slice: the old one may belong to another record too.
func (in *Instrumentation) inject(ctx context.Context, r *kgo.Record) {
	c := &injection{RecordCarrier: RecordCarrier{r}}
	headers := c.headers[:0]
	if len(r.Headers) > 0 {
		headers = make([]kgo.RecordHeader, 0, len(r.Headers)+len(in.fields))
	}
	for i := range r.Headers {
		if !in.isContext(&r.Headers[i]) {
			headers = append(headers, r.Headers[i])
		}
	}
	r.Headers = headers
	in.propagator.Inject(ctx, c)
}

// isContext reports whether h is a header of the propagator.
func (in *Instrumentation) isContext(h *kgo.RecordHeader) bool {
	for _, f := range in.fields {
		if is(h, f) {
			return true
		}
	}
	return false
}

func (c *injection) Set(key, value string) { copy(c.SetSpace(key, len(value)), value) }

// SetSpace replaces all headers with this key by one of n bytes, which it
// returns to be filled in. The propagator of tracecontext writes like this,
// without a string in between.
func (c *injection) SetSpace(key string, n int) []byte {
	c.Delete(key)
	var value []byte
	if free := c.text[c.used:]; n <= len(free) {
		value = free[:n:n]
		c.used += uint8(n)
	} else {
		value = make([]byte, n)
	}
	c.Record.Headers = append(c.Record.Headers, kgo.RecordHeader{Key: key, Value: value})
	return value
}
