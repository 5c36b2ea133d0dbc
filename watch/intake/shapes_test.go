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

// batch is traces as the lab's order flow makes them over Kafka: in each service a step, a message handled and one sent. Their spans have
// 5, 16 and 15 attributes, and those that handle a message a link.
func batch(traces int) ptrace.Traces {
	all := ptrace.NewTraces()
	for n := range traces {
		for at, service := range services {
			rs := all.ResourceSpans().AppendEmpty()
			put(rs.Resource().Attributes(), "host.id", "vm", "host.name", "vm", "service.instance.id", service+"-20261127-1", "service.name", service,
				"service.version", "85c8a6a22921", "tracelab.flow", "order")
			own := rs.ScopeSpans().AppendEmpty()
			own.Scope().SetName("tracelab/services")
			step := own.Spans().AppendEmpty()
			begin(step, n, at, 0)
			step.SetName(service + ".Handle")
			step.SetKind(ptrace.SpanKindInternal)
			put(step.Attributes(), "tracelab.step", service+".Handle")
			ofOrder(step.Attributes(), n)
			messaging := rs.ScopeSpans().AppendEmpty()
			messaging.Scope().SetName("tracelab/otelkgo")
			process := messaging.Spans().AppendEmpty()
			begin(process, n, at, 1)
			process.SetName("process order.placed")
			process.SetKind(ptrace.SpanKindConsumer)
			ofMessage(process.Attributes(), n, service, "process")
			process.Attributes().PutStr("messaging.consumer.group.name", service)
			link := process.Links().AppendEmpty()
			link.SetTraceID(process.TraceID())
			link.SetSpanID(spanID(n, at, 2))
			link.SetFlags(769)
			send := messaging.Spans().AppendEmpty()
			begin(send, n, at, 2)
			send.SetName("send stock.reserved")
			send.SetKind(ptrace.SpanKindProducer)
			ofMessage(send.Attributes(), n, service, "send")
		}
	}
	return all
}

func begin(s ptrace.Span, trace, service, span int) {
	var id pcommon.TraceID
	id[0] = 1
	binary.BigEndian.PutUint64(id[8:], uint64(trace)+1)
	s.SetTraceID(id)
	s.SetSpanID(spanID(trace, service, span))
	if service+span > 0 {
		s.SetParentSpanID(spanID(trace, service, 0))
	}
	s.SetFlags(257)
	start := pcommon.Timestamp(1_795_758_891_997_056_170 + trace*1_000_000 + service*20_000 + span*5_000)
	s.SetStartTimestamp(start)
	s.SetEndTimestamp(start + 9_354_955)
}

func spanID(trace, service, span int) (id pcommon.SpanID) {
	binary.BigEndian.PutUint64(id[:], uint64(trace)<<16|uint64(service)<<8|uint64(span)+1)
	return id
}

func order(n int) string { return fmt.Sprintf("01a21b92-23d8-772a-ac8f-%012x", n) }

func ofOrder(to pcommon.Map, n int) {
	put(to, "tracelab.run.id", "20261127-055451.039067-1", "tracelab.form", "kafka", "tracelab.order.id", order(n), "tracelab.order.number", fmt.Sprint(n))
}

func ofMessage(to pcommon.Map, n int, service, operation string) {
	put(to, "messaging.system", "kafka", "messaging.operation.name", operation, "messaging.operation.type", operation, "server.address", "127.0.0.1",
		"messaging.destination.name", "order.placed", "messaging.client.id", service, "messaging.kafka.message.key", order(n),
		"messaging.message.conversation_id", order(n), "messaging.destination.partition.id", "3")
	to.PutInt("server.port", 42305)
	to.PutInt("messaging.kafka.offset", int64(n))
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
