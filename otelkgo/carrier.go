package otelkgo

import (
	"context"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
)

// RecordCarrier lets a propagator read and write the headers of a record.
//
// A Kafka header need be neither text nor unique. Keys are compared without
// regard to case, as those of HTTP: records come from bridges too. A header
// whose value is null counts as absent. Of several headers with one key, Get
// gives the last, as Kafka's own lastHeader does, and Values gives all, so that
// a strict propagator can refuse them. Values are passed on as they are: what
// is not text is for the propagator to refuse.
type RecordCarrier struct {
	Record *kgo.Record
}

var (
	_ propagation.TextMapCarrier = RecordCarrier{}
	_ propagation.ValuesGetter   = RecordCarrier{}
)

// Get returns the value of the last header with this key, or nothing.
func (c RecordCarrier) Get(key string) string { return string(c.last(key)) }

func (c RecordCarrier) last(key string) []byte {
	for i := len(c.Record.Headers) - 1; i >= 0; i-- {
		if h := &c.Record.Headers[i]; is(h, key) && h.Value != nil {
			return h.Value
		}
	}
	return nil
}

// Values returns the values of all headers with this key, in order.
func (c RecordCarrier) Values(key string) []string {
	var values []string
	for i := range c.Record.Headers {
		if h := &c.Record.Headers[i]; is(h, key) && h.Value != nil {
			values = append(values, string(h.Value))
		}
	}
	return values
}

// Set replaces all headers with this key by one. It leaves the old slice of
// headers as it is: another record may have it too.
func (c RecordCarrier) Set(key, value string) {
	c.Delete(key)
	c.Record.Headers = append(slices.Clip(c.Record.Headers), kgo.RecordHeader{Key: key, Value: []byte(value)})
}

// Delete removes all headers with this key.
func (c RecordCarrier) Delete(key string) {
	for i := range c.Record.Headers {
		if !is(&c.Record.Headers[i], key) {
			continue
		}
		kept := append(make([]kgo.RecordHeader, 0, len(c.Record.Headers)), c.Record.Headers[:i]...)
		for _, h := range c.Record.Headers[i+1:] {
			if !is(&h, key) {
				kept = append(kept, h)
			}
		}
		c.Record.Headers = kept
		return
	}
}

// Keys returns the keys of all headers, in order, repeated ones too.
func (c RecordCarrier) Keys() []string {
	keys := make([]string, len(c.Record.Headers))
	for i := range c.Record.Headers {
		keys[i] = c.Record.Headers[i].Key
	}
	return keys
}

func is(h *kgo.RecordHeader, key string) bool {
	return len(h.Key) == len(key) && (h.Key == key || strings.EqualFold(h.Key, key))
}

// injection is the carrier by which the context is written into a record, and
// the room for what is written, as most records need it: one allocation for
// the slice of headers and the values of the small ones.
type injection struct {
	RecordCarrier
	headers [4]kgo.RecordHeader
	text    [55]byte // a traceparent
	used    uint8    // of text
}

// inject writes the context into the headers of r and removes what else of a
// context is there: an old tracestate or baggage must not join a new trace. It
// makes a new slice: the old one may belong to another record too.
func (in *Instrumentation) inject(ctx context.Context, r *kgo.Record) {
	c := &injection{RecordCarrier: RecordCarrier{r}}
	headers := c.headers[:0]
	if n := len(r.Headers) + len(in.fields); n > len(c.headers) {
		headers = make([]kgo.RecordHeader, 0, n)
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

// singleCarrier is a RecordCarrier without Values, for records in which no key
// is doubled. Stock propagators take several times as long when they are
// offered all values.
type singleCarrier struct{ carrier RecordCarrier }

func (c singleCarrier) Get(key string) string { return c.carrier.Get(key) }
func (c singleCarrier) Set(key, value string) { c.carrier.Set(key, value) }
func (c singleCarrier) Keys() []string        { return c.carrier.Keys() }

// GetBytes is Get without a copy. The propagator of tracecontext reads like this.
func (c singleCarrier) GetBytes(key string) []byte { return c.carrier.last(key) }

// extract reads the context of r into ctx.
func (in *Instrumentation) extract(ctx context.Context, r *kgo.Record) context.Context {
	if in.doubled(r) {
		return in.propagator.Extract(ctx, RecordCarrier{r})
	}
	return in.propagator.Extract(ctx, singleCarrier{RecordCarrier{r}})
}

// doubled reports whether a header of the propagator stands there twice.
func (in *Instrumentation) doubled(r *kgo.Record) bool {
	if len(r.Headers) < 2 {
		return false
	}
	for _, f := range in.fields {
		n := 0
		for i := range r.Headers {
			if is(&r.Headers[i], f) {
				n++
			}
		}
		if n > 1 {
			return true
		}
	}
	return false
}

// baggageHeader is the header of W3C baggage.
const baggageHeader = "baggage"

// linkCarrier hides the baggage: a link needs none, and reading it costs more
// than the link.
type linkCarrier struct{ RecordCarrier }

func (c linkCarrier) Get(key string) string {
	if key == baggageHeader {
		return ""
	}
	return c.RecordCarrier.Get(key)
}

func (c linkCarrier) Values(key string) []string {
	if key == baggageHeader {
		return nil
	}
	return c.RecordCarrier.Values(key)
}

// extractLink reads the creation context of r, without baggage.
func (in *Instrumentation) extractLink(r *kgo.Record) context.Context {
	return in.propagator.Extract(context.Background(), linkCarrier{RecordCarrier{r}})
}
