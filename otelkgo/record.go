package otelkgo

import (
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
)

// traceparentCountKey is how many traceparent headers a record has, where it is
// more than one: two instrumentations have written a context.
const traceparentCountKey = attribute.Key("otelkgo.traceparent.count")

// messageAttributes appends the client id and what a record itself says: its
// key when it is text, whether it is a tombstone, and its ids.
func (cs *clientState) messageAttributes(attrs []attribute.KeyValue, r *kgo.Record) []attribute.KeyValue {
	if cs.id != "" {
		attrs = append(attrs, semconv.MessagingClientID(cs.id))
	}
	return cs.in.appendRecord(attrs, r)
}

// consumedAttributes appends the offset, the number of traceparents unless it is
// 0, and all that messageAttributes appends.
func (cs *clientState) consumedAttributes(attrs []attribute.KeyValue, r *kgo.Record, doubled int) []attribute.KeyValue {
	attrs = append(attrs, semconv.MessagingKafkaOffset(int(r.Offset)))
	if doubled > 0 {
		attrs = append(attrs, traceparentCountKey.Int(doubled))
	}
	return cs.messageAttributes(attrs, r)
}

// appendRecord appends what the record alone says. A key that is not text has
// no place in an attribute, by the conventions.
func (in *Instrumentation) appendRecord(attrs []attribute.KeyValue, r *kgo.Record) []attribute.KeyValue {
	if r.Key != nil && !in.withoutKey && utf8.Valid(r.Key) {
		attrs = append(attrs, semconv.MessagingKafkaMessageKey(text(string(r.Key[:min(len(r.Key), maxText+utf8.UTFMax)]))))
	}
	if r.Key != nil && r.Value == nil {
		attrs = append(attrs, semconv.MessagingKafkaMessageTombstone(true))
	}
	if id := in.messageID(r); id != "" {
		attrs = append(attrs, semconv.MessagingMessageID(text(id)))
	}
	if id := in.conversationID(r); id != "" {
		attrs = append(attrs, semconv.MessagingMessageConversationID(text(id)))
	}
	return cleanAttributes(attrs, in.recordAttributes(r))
}

// clientAttributes are those of a span over several records.
func (cs *clientState) clientAttributes() []attribute.KeyValue {
	if cs.id == "" {
		return nil
	}
	return []attribute.KeyValue{semconv.MessagingClientID(cs.id)}
}
