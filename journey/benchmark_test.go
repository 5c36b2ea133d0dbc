package journey_test

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"testing"

	"tracelab/journey"
)

// orders makes spans of orders over messages, 21 to an order: five services, four messages, two of them to one group each
// and one to two groups. Spans come grouped by service, as collectors hand them out.
func orders(spans int) []journey.Span {
	const each = 21
	n := (spans + each - 1) / each
	byService := make([][]journey.Span, 6)
	for o := range n {
		b := orderBuilder{trace: uint64(o + 1), at: 1_750_000_000_000_000_000 + int64(o)*1_000_000}
		client := b.add(0, 0, journey.KindClient, 0, 6)
		gateway := b.add(1, client, journey.KindServer, 0.3, 5.8)
		call := b.add(1, gateway, journey.KindClient, 0.5, 5.6)
		server := b.add(2, call, journey.KindServer, 0.8, 5.4)
		b.add(2, server, journey.KindInternal, 0.9, 3)
		for k, parent, at := 0, server, 3.1; k < 4; k, at = k+1, at+9 {
			send := b.message(2+k%4, parent, journey.KindProducer, at, at+2, "send")
			process := b.message(2+(k+1)%4, send, journey.KindConsumer, at+3, at+14, "process")
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

func (b *orderBuilder) message(service int, parent uint64, kind journey.Kind, start, end float64, op string) uint64 {
	id := b.add(service, parent, kind, start, end)
	s := &b.spans[service][len(b.spans[service])-1]
	s.Attributes = append(s.Attributes,
		journey.Attribute{Key: "messaging.system", Value: journey.StringValue("kafka")},
		journey.Attribute{Key: "messaging.operation.type", Value: journey.StringValue(op)},
		journey.Attribute{Key: "messaging.operation.name", Value: journey.StringValue(op)},
		journey.Attribute{Key: "messaging.destination.name", Value: journey.StringValue("topic" + serviceNames[service])},
		journey.Attribute{Key: "messaging.consumer.group.name", Value: journey.StringValue(serviceNames[service])})
	if kind == journey.KindConsumer {
		link := journey.Link{Ref: journey.Ref{Trace: s.Trace, Span: s.Parent}}
		s.Links = []journey.Link{link}
	}
	return id
}

var serviceNames = [...]string{"client", "gateway", "orders", "inventory", "payment", "shipping"}

// judge computes everything that is computed for a journey.
func judge(set *journey.Set) {
	for _, j := range set.Journeys() {
		j.ResponsePath()
		j.CompletionPath()
		j.FanOut() // which computes Messages
		j.Tail()
		j.Detached()
		j.Depth()
		j.Errors()
	}
}

func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		spans := orders(n)
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judge(journey.NewSet(spans))
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

func BenchmarkJudgeLoaded(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		set := journey.NewSet(orders(n))
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judge(set)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

// shapes are journeys of one kind each, large enough to overflow a stack or to take for ever if their cost were not linear.
func shapes(n int) map[string][]journey.Span {
	at := func(i int, parent int, start, end int64) journey.Span {
		s := journey.Span{Kind: journey.KindInternal, Name: "s", Service: "a", Start: start, End: end}
		s.Trace[0] = 1
		binary.BigEndian.PutUint64(s.ID[:], uint64(i+1))
		if parent >= 0 {
			binary.BigEndian.PutUint64(s.Parent[:], uint64(parent+1))
		}
		return s
	}
	const ms = 1_000_000
	all := map[string][]journey.Span{}
	total := int64(n) * 10 * ms
	for i := range n {
		t := int64(i) * 10 * ms
		if i == 0 {
			all["siblings"] = append(all["siblings"], at(0, -1, 0, total))
			all["deep"] = append(all["deep"], at(0, -1, 0, 2*total))
			all["chain"] = append(all["chain"], at(0, -1, 0, 9*ms))
			all["fan-out"] = append(all["fan-out"], at(0, -1, 0, ms))
			all["batch"] = append(all["batch"], at(0, -1, 0, total))
			continue
		}
		all["siblings"] = append(all["siblings"], at(i, 0, t, t+9*ms))
		all["deep"] = append(all["deep"], at(i, i-1, int64(i), 2*total-int64(i)))
		all["chain"] = append(all["chain"], at(i, i-1, t, t+9*ms))
		all["fan-out"] = append(all["fan-out"], at(i, 0, 2*ms, t))
		p := at(i, 0, t, t+ms)
		p.Kind = journey.KindProducer
		all["batch"] = append(all["batch"], p)
	}
	w := at(n, -1, total, total+ms)
	w.Kind = journey.KindConsumer
	for _, p := range all["batch"][1:] {
		w.Links = append(w.Links, journey.Link{Ref: p.Ref()})
	}
	all["batch"] = append(all["batch"], w)
	return all
}

func BenchmarkShapes(b *testing.B) {
	all := shapes(1_000_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				judge(journey.NewSet(all[name]))
			}
			b.ReportMetric(float64(len(all[name]))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

// Each shape in a size at which a quadratic cost would show as a test that does not end.
func TestLargeJourneys(t *testing.T) {
	for name, spans := range shapes(30_000) {
		t.Run(name, func(t *testing.T) {
			set := journey.NewSet(spans)
			list := set.Journeys()
			if len(list) != 1 || len(list[0].Spans()) != len(spans) {
				t.Fatalf("%d journeys, the first with %d of %d spans", len(list), len(list[0].Spans()), len(spans))
			}
			judge(set)
			path := list[0].CompletionPath()
			var sum int64
			for _, g := range path {
				sum += g.Duration()
			}
			if sum != list[0].Completion() {
				t.Errorf("the completion path adds up to %d, the completion is %d", sum, list[0].Completion())
			}
			if want := map[string]int{"siblings": 2*len(spans) - 2, "deep": 2*len(spans) - 1, "chain": 2*len(spans) - 1, "fan-out": 3, "batch": 2*len(spans) - 2}[name]; len(path) < want-2 || len(path) > want+2 {
				t.Errorf("the completion path has %d segments, want about %d", len(path), want)
			}
		})
	}
}

// One half of the orders against the other: trees, pairing and intervals of all nodes.
func BenchmarkNodes(b *testing.B) {
	for _, n := range []int{1_000, 100_000, 1_000_000} {
		all := journey.NewSet(orders(n)).Journeys()
		groups := []journey.Group{{Name: "a", Journeys: all[:len(all)/2]}, {Name: "b", Journeys: all[len(all)/2:]}}
		b.Run(fmt.Sprintf("spans=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				journey.Nodes(groups, nil)
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

// Journeys of one shape each, against themselves: as many places as spans, at worst.
func BenchmarkNodesOfShapes(b *testing.B) {
	all := shapes(100_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		g := journey.Group{Name: name, Journeys: journey.NewSet(all[name]).Journeys()}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				journey.Nodes([]journey.Group{g, g}, nil)
			}
			b.ReportMetric(float64(len(all[name]))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}

func BenchmarkWhatIf(b *testing.B) {
	all := shapes(100_000)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		j := journey.NewSet(all[name]).Journeys()[0]
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				j.WhatIf(func(i journey.Index) float64 { return float64(i % 2) })
			}
			b.ReportMetric(float64(len(all[name]))*float64(b.N)/b.Elapsed().Seconds(), "spans/s")
		})
	}
}
