package journey

import (
	"encoding/binary"

	"tracelab/journey/internal/intern"
	"tracelab/journey/semconv"
)

// Index numbers the spans of a Set in its order: by start, then span id, then trace id.
type Index int32

const none Index = -1

// node is what the rules need of a span, in one cache line.
type node struct {
	start, end int64 // end is never before start
	eff        int64 // effective end
	id         uint64
	parent     Index
	caller     Index // the span whose call this is
	span       int32 // index into Set.spans
	trace      int32
	service    int32
	topic      int32 // 0 when there is none
	group      int32 // 0 when there is none
	kind       Kind
	op         semconv.Operation
	flags      flags
}

func (n *node) is(f flags) bool { return n.flags&f != 0 }

// Set is a set of spans that were normalized and joined by edges, over all their traces. It is safe for use by several
// goroutines at a time. The zero Set, and a nil one, have no spans.
type Set struct {
	spans     []Span
	copies    []int32 // by span, how many exact duplicates of it were dropped before a repair; nil for none
	nodes     []node
	index     spanIndex
	traces    intern.Table[TraceID]
	topics    intern.Table[string]
	groups    intern.Table[string]
	resources resources
	halves    []Index // for each id that both halves of a call share, the first span
	cut       []Ref   // for each trace whose id was cut, the first span
	seen      flags   // of all spans
	ops       [semconv.OperationSettle + 1]bool

	in       []edge // by effect: those of i are in[inAt[i]:inAt[i+1]]
	inAt     []int32
	out      []Index // by cause; edges of class retry, which widen no journey, are left out
	outAt    []int32
	calls    []Index // by caller, in the order in which a scan tries them; callOfReply(k) stands for replies[k]
	callsAt  []int32
	findings []finding

	unhandled []unhandled       // messages that a poll received and nobody handled, by producer
	retries   map[Index][]Index // by cause, the effects of edges of class retry
	joins     []Index           // spans with several parents
	units     map[Index][]Index // by span that does the part of some messages of a batch: what sent these
	replies   []reply
	waiters   map[Index]Index   // by the span that handled a reply
	loopsOf   map[int32][]int32 // by trace, the loops in it
	related   relatedLinks
	loops     []loop

	backwards   bool // an effect comes before its cause in the set's order
	topicNames  []string
	groupNames  []string
	topicGroups [][]int32         // by topic, the groups that are expected to consume it
	rareGroups  [][]int32         // by topic, the groups that consumed less than one in twenty of its messages
	expects     bool              // a topic has groups that are expected
	parented    map[rootKind]bool // by kind of an orphan: others have their parents in the set
	damaged     map[int32]bool    // by trace: a part of it could not be read

	options       options
	journeys      []*Journey
	traceJourneys [][]*Journey // by number of the trace, the one whose root is in that trace first
}

// NewSet reads spans into a Set. In this order it drops exact duplicates, joins traces whose ids were cut, gives the two
// halves of a call ids of their own, takes links for parents in traces without any, detects duplicate ids, gives spans that
// end before they start no length, breaks cycles of parents, resolves links, builds the edges, and finds the journeys. What
// was wrong is in the set's warnings. The set keeps the slice, which must not be changed any more, and changes nothing
// in it. The result does not depend on the order of the spans.
//
// It takes O(n log n) time for n spans and links, and does not recurse.
func NewSet(spans []Span, opts ...Option) *Set {
	s := &Set{spans: spans}
	for _, option := range opts {
		if option != nil {
			option(&s.options)
		}
	}
	s.options.starved = joined(s.options.starved)
	s.load()
	s.resolveParents()
	s.buildEdges()
	s.setAside()
	if s.options.edgesOnly {
		return s
	}
	s.findCallers()
	s.findEffectiveEnds()
	s.findReplies()
	s.sortCalls()
	s.findTopicGroups()
	s.sortFindings()
	s.findParented()
	s.findDamaged()
	s.findJourneys()
	return s
}

// Option changes how NewSet reads spans.
type Option func(*options)

type options struct {
	without []Selector
	damaged []TraceID
	missing []func(*Journey) string
	aside   func(*Span) bool
	only    *TraceID
	starved []Period // in their order in time, apart from each other

	edgesOnly bool
}

// Len returns the number of spans, shared ones included, exact duplicates not.
func (s *Set) Len() int {
	if s == nil {
		return 0
	}
	return len(s.nodes)
}

// node returns span i; for an Index that is not of the set, one without anything.
func (s *Set) node(i Index) node {
	if i < 0 || int(i) >= s.Len() {
		return node{parent: none, caller: none, span: -1}
	}
	return s.nodes[i]
}

// Span returns span i as it was read; for an Index that is not of the set, an empty Span.
func (s *Set) Span(i Index) *Span {
	if i < 0 || int(i) >= s.Len() {
		return new(Span)
	}
	return &s.spans[s.nodes[i].span]
}

// Times returns start and end of span i in nanoseconds since the Unix epoch, as corrected: end is not before start.
func (s *Set) Times(i Index) (start, end int64) {
	n := s.node(i)
	return n.start, n.end
}

// EffectiveEnd returns the end of span i that counts, in nanoseconds since the Unix epoch: for a span reached by a call
// it is not later than its caller's effective end.
func (s *Set) EffectiveEnd(i Index) int64 { return s.node(i).eff }

// Parent returns the parent of span i, and false when it has none in the set.
func (s *Set) Parent(i Index) (Index, bool) { p := s.node(i).parent; return p, p != none }

// Caller returns the span that span i was called by, and false when it was not reached by a call.
func (s *Set) Caller(i Index) (Index, bool) { p := s.node(i).caller; return p, p != none }

// Shared reports whether span i is in no journey by rule: settle spans (commits), receive spans (polls) from which
// no edge counts, and receive spans of traces that are made only of such spans and that no journey reaches.
func (s *Set) Shared(i Index) bool { n := s.node(i); return n.is(isShared) }

// Failed reports whether span i has an error status or an attribute error.type.
func (s *Set) Failed(i Index) bool { n := s.node(i); return n.failed() }

// Operation returns what messaging span i did, and semconv.OperationNone for a span that does not say.
func (s *Set) Operation(i Index) semconv.Operation { return s.node(i).op }

// Topic returns where the message of span i went or came from: messaging.destination.template, or else
// messaging.destination.name. It is empty for a span that does not say.
func (s *Set) Topic(i Index) string {
	if topic := s.node(i).topic; topic != 0 {
		return s.topicNames[topic]
	}
	return ""
}

// ConsumerSide reports whether span i is of kind CONSUMER or of the operation receive or process.
func (s *Set) ConsumerSide(i Index) bool { n := s.node(i); return n.is(isConsumer) }

// Find returns the span with that trace id and span id, and false when it is not in the set. Of several with the same ids it
// is the earliest.
func (s *Set) Find(r Ref) (Index, bool) {
	if s.Len() == 0 || r.Span.IsZero() {
		return none, false
	}
	trace, ok := s.traces.Lookup(r.Trace)
	if !ok {
		return none, false
	}
	i := s.index.find(s.nodes, trace, binary.BigEndian.Uint64(r.Span[:]))
	return i, i != none
}

// Warnings returns what was found wrong with the spans of the set, in their order. There are at most 100 of one rule: the
// last of them stands for the rest.
func (s *Set) Warnings() []Warning {
	if s.Len() == 0 {
		return nil
	}
	var l warningList
	for _, f := range s.findings {
		l.add(f.rule.id(), func() Warning { return s.warning(f) })
	}
	return l.warnings()
}

// lower reports whether span i has the lower id: by span id, then by trace id.
func (s *Set) lower(i, j Index) bool {
	a, b := &s.nodes[i], &s.nodes[j]
	if a.id != b.id {
		return a.id < b.id
	}
	if a.trace != b.trace {
		return s.Span(i).Trace.Compare(s.Span(j).Trace) < 0
	}
	return i < j
}
