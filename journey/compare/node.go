package compare

import "slices"

// Change says how a node changed from the first group to another.
type Change string

// The changes. When several apply to a node, it has the first.
const (
	ChangeIncomplete Change = "incomplete" // it is missing, or rarer, where spans of the journeys are missing
	ChangeAdded      Change = "added"
	ChangeRemoved    Change = "removed"
	ChangeCarrier    Change = "carrier" // it is reached by a message instead of a call, or the other way round; or its caller no longer waits
	ChangeFanOut     Change = "fan-out" // it occurs more or less often in a journey, or in more or fewer journeys than chance explains
	ChangeError      Change = "error"   // it fails on one side only, or more often than chance explains
	ChangeSlower     Change = "slower"  // its own time, or else its wait, is more, by the 95 % interval of the median over the journeys that have it
	ChangeFaster     Change = "faster"
	ChangeSame       Change = "same"
)

// changeOrder lists the changes by precedence.
var changeOrder = [...]Change{ChangeIncomplete, ChangeAdded, ChangeRemoved, ChangeCarrier, ChangeFanOut, ChangeError, ChangeSlower, ChangeFaster, ChangeSame}

// Rank returns the precedence of a change, 0 for the first. An unknown change comes last.
func (c Change) Rank() int {
	if i := slices.Index(changeOrder[:], c); i >= 0 {
		return i
	}
	return len(changeOrder)
}

// Node is one place in the trees of journeys, with what each group has there.
type Node struct {
	Path    []string `json:"path"`           // service and name of the nodes from the root down to this one, where the first group that has it has it
	Root    string   `json:"root,omitempty"` // as Root.String; where journeys of several roots are told apart
	Service string   `json:"service"`
	Name    string   `json:"name"`
	Kind    NodeKind `json:"kind"`
	Change  Change   `json:"change"` // the first of the changes of its groups
	Groups  []NodeIn `json:"groups"` // as many as there are groups, in their order
}

// NodeIn describes a node in one group. Times are of one journey, in nanoseconds; a journey without the node counts 0.
type NodeIn struct {
	Group    string   `json:"group"`
	Name     string   `json:"name,omitempty"`    // its name there
	Kind     NodeKind `json:"kind"`              // its kind there
	Carrier  string   `json:"carrier,omitempty"` // how most are reached: call, message or detached
	Change   Change   `json:"change"`            // from the first group
	Journeys int      `json:"journeys"`          // that have it
	Count    int      `json:"count"`             // in all journeys
	Errors   int      `json:"errors"`            // of the count, how many failed

	Self NodeTime `json:"self_ns"` // at work, less the calls below
	Path PathTime `json:"path_ns"`
	Wait NodeTime `json:"wait_ns"` // of messages, from the producer's end: as queue_wait_ms, negative where they overlap
}

// PathTime is a node's time on both paths, its waits included. The means of all nodes add up to the mean caller wait, and
// to the mean completion.
type PathTime struct {
	Response   NodeTime `json:"response"` // of journeys that have a root
	Completion NodeTime `json:"completion"`
}

// NodeTime describes one time of a node, over the journeys of a group.
type NodeTime struct {
	Mean   float64    `json:"mean"`
	Median float64    `json:"median"`
	P95    *float64   `json:"p95"`   // nil under 20 journeys that stand for some
	Delta  *NodeDelta `json:"delta"` // from the first group; nil of that group itself

	// Typical and Shift are the median, and the difference from the first group, over the journeys that have the node: a node
	// that became rarer has not become faster. The changes slower and faster depend on Shift. Own times and waits have them, in
	// groups that have the node; Shift only if the first group has it, too.
	Typical *float64   `json:"present_median,omitempty"`
	Shift   *NodeDelta `json:"present_delta,omitempty"`
}

// NodeDelta is how much a time of a node differs from that in the first group: over the pairs where journeys are paired,
// else over all of them.
type NodeDelta struct {
	Mean    float64  `json:"mean"`   // of the differences, or the difference of the means: those of all nodes add up
	Median  *float64 `json:"median"` // of the differences, or the difference of the medians
	Low     *float64 `json:"low"`    // Low and High bound the 95 % interval of Median
	High    *float64 `json:"high"`
	Paired  bool     `json:"paired"`
	N       int      `json:"n"`
	Verdict Verdict  `json:"verdict"`
}
