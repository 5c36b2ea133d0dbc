package journey_test

import (
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// How much later than its parent a child may end and still be a call, to the nanosecond.
func TestTolerance(t *testing.T) {
	const us, ms = int64(1e3), int64(1e6)
	instance := func(id string) *journey.Resource { return &journey.Resource{InstanceID: id} }
	for _, c := range []struct {
		why           string
		length        int64 // of the parent
		parent, child *journey.Resource
		service       string // of the child; the parent's is a
		starts, ends  int64  // what starts and ends are beyond a whole millisecond
		most          int64
	}{
		{"one resource", 50 * us, nil, nil, "a", 1, 1, us},
		{"one instance", 50 * us, instance("1"), instance("1"), "a", 1, 1, us},
		{"an instance that is not named", 50 * us, instance("1"), nil, "a", 1, 1, us},
		{"one host by id, and a name that one of them has", 50 * us, &journey.Resource{HostID: "x", HostName: "n"}, &journey.Resource{HostID: "x"}, "a", 1, 1, us},
		{"two instances", 50 * us, instance("1"), instance("2"), "a", 1, 1, ms},
		{"two hosts by name", 50 * us, &journey.Resource{HostName: "x"}, &journey.Resource{HostName: "y"}, "a", 1, 1, ms},
		{"two hosts by id", 50 * us, &journey.Resource{HostID: "x"}, &journey.Resource{HostID: "y"}, "a", 1, 1, ms},
		{"two services", 50 * us, nil, nil, "b", 1, 1, ms},
		{"a clock whose starts are whole milliseconds", 10 * ms, nil, nil, "a", 0, 1, ms},
		{"a clock whose ends are whole milliseconds", 10 * ms, nil, nil, "a", 1, 0, ms},
		{"1 % of a long span", 2000 * ms, nil, nil, "a", 1, 1, 20 * ms},
		{"50 ms of a very long span", 9000 * ms, nil, nil, "a", 1, 1, 50 * ms},
	} {
		t.Run(c.why, func(t *testing.T) {
			for late, class := range map[int64]journey.Class{c.most: journey.ClassCall, c.most + 1: journey.ClassDetachedOverlap} {
				spans, err := draw.Spans("a.P 0-1\n  a.C 0-1\na.OTHER 0.1-0.2 trace=2") // the other has a clock of its own
				if err != nil {
					t.Fatal(err)
				}
				if late > c.most && c.ends == 0 {
					late = c.most + ms // the next that such a clock shows
				}
				p, x := &spans[0], &spans[1]
				p.Start, p.End = draw.Base+c.starts, draw.Base+c.length+c.ends
				x.Start, x.End = p.Start, p.End+late
				p.Resource, x.Resource, x.Service = c.parent, c.child, c.service
				set := journey.NewSet(spans)
				child, _ := set.Find(x.Ref())
				for e := range set.Causes(child) {
					if e.Class != class {
						t.Errorf("%d ns late: %s, want %s", x.End-p.End, e.Class, class)
					}
				}
			}
		})
	}
}
