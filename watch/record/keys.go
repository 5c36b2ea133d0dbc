package record

import (
	"strings"

	"tracelab/journey"
	"tracelab/journey/semconv"
)

// use says what is read of an attribute.
type use uint8

const (
	unread   use = iota // nothing
	presence            // only whether it is there
	value               // its value
)

// keys are the attributes of spans and links that the judge, lint or a comparison reads. A record has their index in this list, so new ones go
// to the end.
var keys = [...]struct {
	name string
	use  use
}{
	{semconv.ErrorType, value}, {semconv.FaaSTrigger, value}, {"tracelab.carry_on", presence}, {"tracelab.order.number", value},
	{semconv.MessagingSystem, value}, {semconv.MessagingOperationName, value}, {semconv.MessagingOperationType, value},
	{semconv.MessagingDestinationName, value}, {semconv.MessagingDestinationTemplate, value},
	{semconv.MessagingDestinationTemporary, value}, {semconv.MessagingDestinationAnonymous, value},
	{semconv.MessagingDestinationPartitionID, value}, {semconv.MessagingDestinationSubscription, value},
	{semconv.MessagingConsumerGroupName, value}, {semconv.MessagingClientID, presence}, {semconv.MessagingBatchMessageCount, value},
	{semconv.MessagingMessageID, presence}, {semconv.MessagingMessageConversationID, value}, {semconv.MessagingMessageBodySize, value},
	{semconv.MessagingMessageEnvelopeSize, presence}, {semconv.MessagingKafkaOffset, value}, {semconv.MessagingKafkaMessageKey, value},
	{semconv.MessagingKafkaTombstone, value}, {semconv.MessagingRabbitMQRoutingKey, presence}, {semconv.MessagingRabbitMQDeliveryTag, presence},
	{"messaging.header.traceparent", value}, {"http.request.header.traceparent", value}, {"rpc.request.metadata.traceparent", value}, {"rpc.grpc.request.metadata.traceparent", value},
	{"opentracing.ref_type", value},
	{"http.request.method", value}, {"http.method", presence}, {"http.route", value}, {"http.response.status_code", value}, {"http.status_code", value},
	{"rpc.system", presence}, {"rpc.system.name", presence}, {"rpc.method", value}, {"rpc.service", value},
	{"server.address", value}, {"net.peer.name", value}, {"server.port", value}, {"net.peer.port", value},
	{"exception.type", value}, {"url.template", value}, {"db.operation.name", value}, {"db.collection.name", value}, {"db.namespace", value},
	{"db.query.summary", value}, {"faas.name", value}, {"graphql.operation.name", value},
	{"otelkgo.links.omitted", value}, {"otelamqp.links.omitted", value},
	{"tailsampling.policy", presence}, {"tailsampling.composite_policy", presence}, {"tailsampling.cached_decision", presence}, {"meta.refinery.reason", presence},
}

// code returns the index of a key in the list, from 1, or 0, and what is read of the attribute. Of messaging attributes that no rule names only
// the presence is read. An older name is read like the newer one.
func code(key string) (int, use) {
	for i := range keys {
		if keys[i].name == key {
			return i + 1, keys[i].use
		}
	}
	switch lower := strings.ToLower(key); {
	case strings.HasSuffix(lower, ".traceparent") && isHeader(lower):
		return 0, value
	case !strings.HasPrefix(key, semconv.MessagingPrefix):
		return 0, unread
	}
	if r, ok := semconv.RenameOf(key); ok && r.Now != "" {
		_, u := code(r.Now)
		return 0, u
	}
	return 0, presence
}

func isHeader(key string) bool {
	for _, prefix := range [...]string{"http.request.header.", "rpc.request.metadata.", "rpc.grpc.request.metadata.", "messaging.header."} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// Reads reports whether the judge reads an attribute of a span or a link at all, and whether it reads the value. What is not read need not be decoded.
func Reads(key string) (present, valued bool) {
	_, u := code(key)
	return u != unread, u == value
}

// unnamed reports whether the service of a span has no name. Then all attributes of the resource are kept, to tell it from others.
func unnamed(s *journey.Span) bool {
	return s.Service == "" || strings.HasPrefix(s.Service, "unknown_service")
}

// sampling returns OpenTelemetry's own member of a tracestate, "ot=…", which says how the trace was sampled.
func sampling(state string) string {
	if state == "" {
		return ""
	}
	for member := range strings.SplitSeq(state, ",") {
		if member = strings.TrimSpace(member); strings.HasPrefix(member, "ot=") {
			return member
		}
	}
	return ""
}
