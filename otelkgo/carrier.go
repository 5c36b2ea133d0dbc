package otelkgo

import (
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
// gives the last, as Kafka's own lastHeader does, and Values gives all. Values
// are passed on as they are: what is not text is for the propagator to refuse.
//
// A carrier without a record has no headers and ignores Set and Delete.
type RecordCarrier struct {
	Record *kgo.Record
}

var (
	_ propagation.TextMapCarrier = RecordCarrier{}
	_ propagation.ValuesGetter   = RecordCarrier{}
)

// Get returns the value of the last header with this key, or nothing.
func (c RecordCarrier) Get(key string) string { return string(c.last(key)) }

func (c RecordCarrier) headers() []kgo.RecordHeader {
	if c.Record == nil {
		return nil
	}
	return c.Record.Headers
}

func (c RecordCarrier) last(key string) []byte {
	headers := c.headers()
	for i := len(headers) - 1; i >= 0; i-- {
		if h := &headers[i]; is(h, key) && h.Value != nil {
			return h.Value
		}
	}
	return nil
}

// Values returns the values of all headers with this key, in order.
func (c RecordCarrier) Values(key string) []string {
	var values []string
	headers := c.headers()
	for i := range headers {
		if h := &headers[i]; is(h, key) && h.Value != nil {
			values = append(values, string(h.Value))
		}
	}
	return values
}

// Set replaces all headers with this key by one. It leaves the old slice of
// headers as it is: another record may have it too.
func (c RecordCarrier) Set(key, value string) {
	if c.Record == nil {
		return
	}
	c.Delete(key)
	c.Record.Headers = append(slices.Clip(c.Record.Headers), kgo.RecordHeader{Key: key, Value: []byte(value)})
}

// Delete removes all headers with this key.
func (c RecordCarrier) Delete(key string) {
	headers := c.headers()
	for i := range headers {
		if !is(&headers[i], key) {
			continue
		}
		kept := append(make([]kgo.RecordHeader, 0, len(headers)), headers[:i]...)
		for _, h := range headers[i+1:] {
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
	headers := c.headers()
	keys := make([]string, len(headers))
	for i := range headers {
		keys[i] = headers[i].Key
	}
	return keys
}

func is(h *kgo.RecordHeader, key string) bool {
	return len(h.Key) == len(key) && (h.Key == key || strings.EqualFold(h.Key, key))
}
