package compare

import (
	"strconv"

	"tracelab/journey"
)

// carrier is how a node is reached: the classes of edges, less what only timing decides.
type carrier uint8

const (
	byNothing  carrier = iota // the entry, and what has no cause
	byCall                    // the earlier span waits for it
	byMessage                 // a message
	byDetached                // work that goes on beside or after the span that started it
	carriers
)

func (c carrier) String() string {
	names := [...]string{"", "call", "message", "detached"}
	if int(c) < len(names) {
		return names[c]
	}
	return "carrier(" + strconv.Itoa(int(c)) + ")"
}

func carrierOf(c journey.Class) carrier {
	switch c {
	case journey.ClassMessage:
		return byMessage
	case journey.ClassCall, journey.ClassAbandoned:
		return byCall
	default:
		return byDetached
	}
}

// sample has the figures of one node in one journey. Times are in nanoseconds.
type sample struct {
	journey              int32 // its position in the group
	count, errors        int32
	self, wait           int64
	response, completion int64 // on the paths, waits included
}

// tally has the figures of one place in one group, with a sample for each journey that has it.
type tally struct {
	samples  []sample
	count    int
	errors   int
	carriers [carriers]int
	start    float64 // sum of its first starts, in nanoseconds from the journeys' starts
}

// carrier returns how most of the place's nodes are reached.
func (t *tally) carrier() carrier {
	best := byNothing
	for c := byCall; c < carriers; c++ {
		if t.carriers[c] > t.carriers[best] {
			best = c
		}
	}
	return best
}

// groupTree is a group with its journeys laid out as trees of places.
type groupTree struct {
	group     Group
	tallies   []tally // by place
	lossy     []bool  // by journey: spans of it are missing
	whole     int     // journeys that are not lossy
	rooted    int
	signature []uint64 // by journey
	shapes    map[uint64]*shape
	weight    float64 // of all journeys
}

// shape is the tree that journeys with one signature have.
type shape struct {
	journeys int
	weight   float64
	example  *journey.Journey
	nodes    []shapeNode
}

type shapeNode struct{ place, count int32 }

// tally returns the figures of a place in the group, nil when no journey has it.
func (g *groupTree) tally(place int32) *tally {
	if int(place) >= len(g.tallies) || len(g.tallies[place].samples) == 0 {
		return nil
	}
	return &g.tallies[place]
}

// findShapes computes the signature of each journey, and groups journeys by it. A signature is the sum of the hashes of the
// journey's places with their counts, so that order does not matter.
func (g *groupTree) findShapes(t *placeTable) {
	g.signature = make([]uint64, len(g.group.Journeys))
	for p := range g.tallies {
		for _, x := range g.tallies[p].samples {
			g.signature[x.journey] += mix(t.places[p].hash, uint64(x.count))
		}
	}
	g.shapes = make(map[uint64]*shape)
	first := make(map[int32]*shape)
	for k, signature := range g.signature {
		s := g.shapes[signature]
		if s == nil {
			s = &shape{example: g.group.Journeys[k]}
			g.shapes[signature] = s
			first[int32(k)] = s
		}
		s.journeys++
		w := g.group.weight(k)
		s.weight += w
		g.weight += w
	}
	for p := range g.tallies {
		for _, x := range g.tallies[p].samples {
			if s := first[x.journey]; s != nil {
				s.nodes = append(s.nodes, shapeNode{int32(p), x.count})
			}
		}
	}
}
