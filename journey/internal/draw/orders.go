package draw

import (
	"encoding/binary"

	"tracelab/journey"
)

// Orders makes spans of orders that cross six services by calls and four messages, 21 spans to an order. They come grouped by
// service, as collectors export them.
func Orders(spans int) []journey.Span {
	const each = 21
	n := (spans + each - 1) / each
	byService := make([][]journey.Span, 6)
	for o := range n {
		b := orderBuilder{trace: uint64(o + 1), at: Base + int64(o)*1_000_000}
		client := b.add(0, 0, journey.KindClient, 0, 6)
		gateway := b.add(1, client, journey.KindServer, 0.3, 5.8)
		call := b.add(1, gateway, journey.KindClient, 0.5, 5.6)
		server := b.add(2, call, journey.KindServer, 0.8, 5.4)
		b.add(2, server, journey.KindInternal, 0.9, 3)
		for k, parent, at := 0, server, 3.1; k < 4; k, at = k+1, at+9 {
			topic := "topic" + serviceNames[2+k%4]
			send := b.message(2+k%4, parent, journey.KindProducer, at, at+2, "send", topic)
			process := b.message(2+(k+1)%4, send, journey.KindConsumer, at+3, at+14, "process", topic)
			b.add(2+(k+1)%4, process, journey.KindInternal, at+3.1, at+9)
			b.add(2+(k+1)%4, process, journey.KindClient, at+9, at+11.9)
			parent = process
		}
		for s := range byService {
			byService[s] = append(byService[s], b.spans[s]...)
		}
	}
	var all []journey.Span
	for _, list := range byService {
		all = append(all, list...)
	}
	return all[:min(spans, len(all))]
}

type orderBuilder struct {
	trace uint64
	at    int64
	next  uint64
	spans [6][]journey.Span
}

func (b *orderBuilder) add(service int, parent uint64, kind journey.Kind, start, end float64) uint64 {
	b.next++
	s := journey.Span{Kind: kind, Service: serviceNames[service], Name: "step", Start: b.at + int64(start*1e6), End: b.at + int64(end*1e6)}
	binary.BigEndian.PutUint64(s.Trace[8:], b.trace*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(s.ID[:], (b.trace<<8|b.next)*0x9e3779b97f4a7c15)
	if parent != 0 {
		binary.BigEndian.PutUint64(s.Parent[:], (b.trace<<8|parent)*0x9e3779b97f4a7c15)
	}
	s.Attributes = []journey.Attribute{
		{Key: "tracelab.run.id", Value: journey.StringValue("r")}, {Key: "tracelab.form", Value: journey.StringValue("kafka")},
		{Key: "server.address", Value: journey.StringValue("127.0.0.1")}, {Key: "server.port", Value: journey.IntValue(80)},
	}
	b.spans[service] = append(b.spans[service], s)
	return b.next
}

func (b *orderBuilder) message(service int, parent uint64, kind journey.Kind, start, end float64, op, topic string) uint64 {
	id := b.add(service, parent, kind, start, end)
	s := &b.spans[service][len(b.spans[service])-1]
	s.Attributes = append(s.Attributes,
		journey.Attribute{Key: "messaging.system", Value: journey.StringValue("kafka")},
		journey.Attribute{Key: "messaging.operation.type", Value: journey.StringValue(op)},
		journey.Attribute{Key: "messaging.operation.name", Value: journey.StringValue(op)},
		journey.Attribute{Key: "messaging.destination.name", Value: journey.StringValue(topic)},
		journey.Attribute{Key: "messaging.consumer.group.name", Value: journey.StringValue(serviceNames[service])})
	if kind == journey.KindConsumer {
		link := journey.Link{Ref: journey.Ref{Trace: s.Trace, Span: s.Parent}}
		s.Links = []journey.Link{link}
	}
	return id
}

var serviceNames = [...]string{"client", "gateway", "orders", "inventory", "payment", "shipping"}
