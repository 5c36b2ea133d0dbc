package otelkgo

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/propagation"
)

// RecordCarrier lets a propagator read and write the headers of a record.
//
// A Kafka header has no need to be text or unique. Keys are compared byte for
// byte. A header whose value is null counts as absent. Of several headers with
// one key, Get gives the last, as Kafka's own lastHeader does, and Values
// gives all, so that a strict propagator can refuse them. Values are passed on
// as they are: a value that is not text is for the propagator to refuse.
type RecordCarrier struct {
	Record *kgo.Record
}

var (
	_ propagation.TextMapCarrier = RecordCarrier{}
	_ propagation.ValuesGetter   = RecordCarrier{}
)

// Get returns the value of the last header with this key, or nothing.
func (c RecordCarrier) Get(key string) string {
	for i := len(c.Record.Headers) - 1; i >= 0; i-- {
		if h := &c.Record.Headers[i]; h.Key == key && h.Value != nil {
			return string(h.Value)
		}
	}
	return ""
}

// Values returns the values of all headers with this key, in order.
func (c RecordCarrier) Values(key string) []string {
	var values []string
	for i := range c.Record.Headers {
		if h := &c.Record.Headers[i]; h.Key == key && h.Value != nil {
			values = append(values, string(h.Value))
		}
	}
	return values
}

// Set replaces all headers with this key by one.
func (c RecordCarrier) Set(key, value string) {
	for i := range c.Record.Headers {
		if c.Record.Headers[i].Key == key {
			c.replaceFrom(i, key, value)
			return
		}
	}
	c.Record.Headers = append(c.Record.Headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
}

// replaceFrom builds a new slice: the old one may belong to another record
// too, when headers were passed on from one to the next.
func (c RecordCarrier) replaceFrom(first int, key, value string) {
	headers := make([]kgo.RecordHeader, 0, len(c.Record.Headers)+1)
	headers = append(headers, c.Record.Headers[:first]...)
	headers = append(headers, kgo.RecordHeader{Key: key, Value: []byte(value)})
	for _, h := range c.Record.Headers[first+1:] {
		if h.Key != key {
			headers = append(headers, h)
		}
	}
	c.Record.Headers = headers
}

// Keys returns the keys of all headers, in order, repeated ones too.
func (c RecordCarrier) Keys() []string {
	keys := make([]string, len(c.Record.Headers))
	for i := range c.Record.Headers {
		keys[i] = c.Record.Headers[i].Key
	}
	return keys
}
