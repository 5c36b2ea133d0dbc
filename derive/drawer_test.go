package derive_test

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"time"

	"tracelab/journey"
)

// node is an operation of a drawn tree: it works, calls others in groups (those of a group side by side, one group after the other), and works
// again.
type node struct {
	service, name string
	work, end     time.Duration // medians
	calls         [][]node
	sends         []node // messages, after all calls
	seldom        float64
}

// drawer makes spans of trees.
type drawer struct {
	spans []journey.Span
	next  uint64
	rand  *rand.Rand
	noise float64
}

func (d *drawer) span(trace uint64, parent journey.SpanID, kind journey.Kind, n node, name string) *journey.Span {
	d.next++
	s := journey.Span{Parent: parent, Kind: kind, Service: n.service, Name: name}
	binary.BigEndian.PutUint64(s.Trace[8:], trace+1)
	binary.BigEndian.PutUint64(s.ID[:], d.next)
	d.spans = append(d.spans, s)
	return &d.spans[len(d.spans)-1]
}

func (d *drawer) took(median time.Duration) int64 {
	return int64(float64(median) * math.Exp(d.noise*d.rand.NormFloat64()))
}

// draw draws an operation and all that it leads to, and returns when it had ended.
func (d *drawer) draw(trace uint64, parent journey.SpanID, kind journey.Kind, n node, at int64) int64 {
	const hop = int64(200 * time.Microsecond) // there, and back
	index := len(d.spans)
	mine := d.span(trace, parent, kind, n, n.name)
	id := mine.ID
	mine.Start = at
	at += d.took(n.work)
	for _, group := range n.calls {
		latest := at
		for _, call := range group {
			if call.seldom > 0 && d.rand.Float64() >= call.seldom {
				continue
			}
			client := len(d.spans)
			cs := d.span(trace, id, journey.KindClient, n, call.service+"/"+call.name)
			cs.Start, cs.Attributes = at, []journey.Attribute{{Key: "rpc.system", Value: journey.StringValue("grpc")}}
			end := d.draw(trace, cs.ID, journey.KindServer, call, at+hop) + hop
			d.spans[client].End = end
			latest = max(latest, end)
		}
		at = latest
	}
	at += d.took(n.end)
	for _, to := range n.sends {
		kafka := []journey.Attribute{{Key: "messaging.system", Value: journey.StringValue("kafka")}, {Key: "messaging.destination.name", Value: journey.StringValue(to.name)}}
		sent := len(d.spans)
		p := d.span(trace, id, journey.KindProducer, n, "send "+to.name)
		p.Start, p.End, p.Attributes = at, at+hop, kafka
		pid := p.ID
		at += hop
		to.name = "process " + to.name
		consumer := len(d.spans)
		d.draw(trace, pid, journey.KindConsumer, to, at+hop)
		d.spans[consumer].Attributes = kafka
		_ = sent
	}
	d.spans[index].End = at
	return at
}

// drawn draws a tree often, and reads it.
func drawn(n node, journeys int, noise float64) []*journey.Journey {
	d := &drawer{rand: rand.New(rand.NewPCG(1, 2)), noise: noise}
	for i := range journeys {
		d.draw(uint64(i), journey.SpanID{}, journey.KindServer, n, int64(i)*int64(time.Minute))
	}
	return journey.NewSet(d.spans).Journeys()
}

const ms = time.Millisecond

// hotel is a tree as DeathStarBench's hotel reservation has it.
func hotel() node {
	return node{service: "frontend", name: "GET /hotels", work: ms, end: 2 * ms, calls: [][]node{
		{{service: "srv-search", name: "search.Search/Nearby", work: 2 * ms, end: 4 * ms, calls: [][]node{
			{{service: "srv-geo", name: "geo.Geo/Nearby", work: 6 * ms}, {service: "srv-rate", name: "rate.Rate/GetRates", work: 3 * ms, calls: [][]node{
				{{service: "memcached-rate", name: "get_multi", work: ms}}}}},
		}}},
		{{service: "srv-reservation", name: "reservation.Reservation/CheckAvailability", work: 5 * ms}},
		{{service: "srv-profile", name: "profile.Profile/GetProfiles", work: 7 * ms}},
	}}
}
