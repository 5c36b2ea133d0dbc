package draw

import (
	"encoding/binary"

	"tracelab/journey"
)

// Shapes returns journeys of n spans by the name of their shape. With a large n they overflow the stack of code that
// recurses, and take for ever where the cost is not linear.
func Shapes(n int) map[string][]journey.Span {
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
