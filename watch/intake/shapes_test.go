package intake_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// services of the lab's flow, one after the other.
var services = []string{"gateway", "orders", "inventory", "payment", "notification", "delivery"}

// relation is how a span that handles a message refers to the one that sent it.
type relation int

const (
	both    relation = iota // parent and link, in one trace
	linking                 // by a link, from a trace of its own
)

// batch is orders as the lab makes them over Kafka, in one trace each.
func batch(orders int) ptrace.Traces { return batchOf(0, orders, both) }

// batchOf is orders from first on: each service handles a message, does a step and sends the next message. Their spans have 16, 5 and 15
// attributes, and those that handle a message a link.
func batchOf(first, orders int, rel relation) ptrace.Traces {
	all := ptrace.NewTraces()
	for n := first; n < first+orders; n++ {
		for at, service := range services {
			rs := all.ResourceSpans().AppendEmpty()
			put(rs.Resource().Attributes(), "host.id", "vm", "host.name", "vm", "service.instance.id", service+"-20261127-1", "service.name", service,
				"service.version", "85c8a6a22921", "tracelab.flow", "order")
			own := rs.ScopeSpans().AppendEmpty()
			own.Scope().SetName("tracelab/services")
			id := traceID(n, at, rel)
			internal := own.Spans().AppendEmpty()
			begin(internal, id, n, at, step)
			internal.SetParentSpanID(spanID(n, at, process))
			internal.SetName(service + ".Handle")
			internal.SetKind(ptrace.SpanKindInternal)
			put(internal.Attributes(), "tracelab.step", service+".Handle")
			ofOrder(internal.Attributes(), n)
			messaging := rs.ScopeSpans().AppendEmpty()
			messaging.Scope().SetName("tracelab/otelkgo")
			handle := messaging.Spans().AppendEmpty()
			begin(handle, id, n, at, process)
			refer(handle, n, at, rel)
			if at == 0 {
				ofRequest(handle.Attributes(), n)
			} else {
				ofMessage(handle.Attributes(), n, service, topic(at-1), "process")
				handle.Attributes().PutStr("messaging.consumer.group.name", service)
			}
			sent := messaging.Spans().AppendEmpty()
			begin(sent, id, n, at, send)
			sent.SetParentSpanID(spanID(n, at, process))
			sent.SetName("send " + topic(at))
			sent.SetKind(ptrace.SpanKindProducer)
			ofMessage(sent.Attributes(), n, service, topic(at), "send")
		}
	}
	return all
}

// The spans of a service.
const (
	process = iota + 1
	step
	send
)

func topic(service int) string { return fmt.Sprintf("topic-%d", service+1) }

// refer makes the first service's span a root, and lets the others handle the message of the service before.
func refer(s ptrace.Span, n, at int, rel relation) {
	if at == 0 {
		s.SetName("POST /orders")
		s.SetKind(ptrace.SpanKindServer)
		return
	}
	s.SetName("process " + topic(at-1))
	s.SetKind(ptrace.SpanKindConsumer)
	link := s.Links().AppendEmpty()
	link.SetTraceID(traceID(n, at-1, rel))
	link.SetSpanID(spanID(n, at-1, send))
	link.SetFlags(769)
	if rel == both {
		s.SetParentSpanID(spanID(n, at-1, send))
	}
}

func begin(s ptrace.Span, id pcommon.TraceID, n, service, span int) {
	s.SetTraceID(id)
	s.SetSpanID(spanID(n, service, span))
	s.SetFlags(257)
	start := pcommon.Timestamp(1_795_758_891_997_056_170 + n*1_000_000 + service*20_000 + span*1_000)
	s.SetStartTimestamp(start)
	s.SetEndTimestamp(start + 15_000 - pcommon.Timestamp(span)*2_000)
}

func traceID(n, service int, rel relation) (id pcommon.TraceID) {
	id[0] = 1
	binary.BigEndian.PutUint64(id[8:], uint64(n)+1)
	if rel == linking {
		id[1] = byte(service)
	}
	return id
}

func spanID(n, service, span int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(n)<<16|uint64(service)<<8|uint64(span))
	return id
}

func order(n int) string { return fmt.Sprintf("01a21b92-23d8-772a-ac8f-%012x", n) }

func ofOrder(to pcommon.Map, n int) {
	put(to, "tracelab.run.id", "20261127-055451.039067-1", "tracelab.form", "kafka", "tracelab.order.id", order(n), "tracelab.order.number", fmt.Sprint(n))
}

func ofMessage(to pcommon.Map, n int, service, topic, operation string) {
	put(to, "messaging.system", "kafka", "messaging.operation.name", operation, "messaging.operation.type", operation, "server.address", "127.0.0.1",
		"messaging.destination.name", topic, "messaging.client.id", service, "messaging.kafka.message.key", order(n),
		"messaging.message.conversation_id", order(n), "messaging.destination.partition.id", "3")
	to.PutInt("server.port", 42305)
	to.PutInt("messaging.kafka.offset", int64(n))
	ofOrder(to, n)
}

func ofRequest(to pcommon.Map, n int) {
	put(to, "http.request.method", "POST", "http.route", "/orders", "url.path", "/orders", "url.scheme", "http", "server.address", "127.0.0.1",
		"network.protocol.version", "1.1", "network.peer.address", "127.0.0.1", "client.address", "127.0.0.1", "user_agent.original", "Go-http-client/1.1")
	to.PutInt("server.port", 42305)
	to.PutInt("network.peer.port", 52305)
	to.PutInt("http.response.status_code", 202)
	ofOrder(to, n)
}

func put(to pcommon.Map, pairs ...string) {
	for i := 0; i < len(pairs); i += 2 {
		to.PutStr(pairs[i], pairs[i+1])
	}
}

func protobuf(t testing.TB, all ptrace.Traces) []byte {
	t.Helper()
	b, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(all)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func json(t testing.TB, all ptrace.Traces) []byte {
	t.Helper()
	b, err := (&ptrace.JSONMarshaler{}).MarshalTraces(all)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
