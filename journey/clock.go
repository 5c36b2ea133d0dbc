package journey

import (
	"cmp"
	"math"
	"slices"
	"time"

	"tracelab/journey/semconv"
)

// ClockOffset bounds how far the clock of one host is ahead of another's: High and Low are negative when it is
// behind. Low above High means that no constant offset explains the spans. Timestamps are never corrected.
type ClockOffset struct {
	From, To  string        // hosts: host.id, or else host.name
	Low, High time.Duration // Low is math.MinInt64 when only messages cross: they bound one side
	Spans     int           // how many pairs of spans give the bounds
}

// ClockOffsets returns the bounds for each pair of hosts that calls or messages cross, by From, then To. A call shows both:
// a server's span lies within its client's. A message shows only that it was not handled before it was sent.
func (s *Set) ClockOffsets() []ClockOffset {
	type pair struct{ from, to string }
	bounds := make(map[pair]*ClockOffset)
	for i := range s.Len() {
		c := &s.nodes[i]
		for _, e := range s.edgesTo(Index(i)) {
			p := &s.nodes[e.pred]
			if e.class != ClassMessage && (e.class != ClassCall || p.kind != KindClient || c.kind != KindServer) {
				continue
			}
			hosts := pair{s.host(e.pred), s.host(Index(i))}
			if hosts.from == "" || hosts.to == "" || hosts.from == hosts.to {
				continue
			}
			b := bounds[hosts]
			if b == nil {
				b = &ClockOffset{From: hosts.from, To: hosts.to, Low: math.MinInt64, High: math.MaxInt64}
				bounds[hosts] = b
			}
			b.Spans++
			latest := c.start // what p sent had arrived by then
			if c.op == semconv.OperationReceive && e.class == ClassMessage {
				latest = c.end // the poll may have begun long before the message was sent
			}
			b.High = min(b.High, time.Duration(latest-p.start))
			if e.class == ClassCall {
				b.Low = max(b.Low, time.Duration(c.end-p.end))
			}
		}
	}
	list := make([]ClockOffset, 0, len(bounds))
	for _, b := range bounds {
		list = append(list, *b)
	}
	slices.SortFunc(list, func(a, b ClockOffset) int { return cmp.Or(cmp.Compare(a.From, b.From), cmp.Compare(a.To, b.To)) })
	return list
}

// host returns the id or the name of a span's host, or "".
func (s *Set) host(i Index) string {
	r := s.Span(i).Resource
	if r == nil {
		return ""
	}
	return cmp.Or(r.HostID, r.HostName)
}
