package journey_test

import (
	"fmt"
	"strconv"
	"testing"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// edgeCases draw each row of the table of edges, and each sentence under it. An edge is written EFFECT < CAUSE CLASS READY.
var edgeCases = []struct {
	why     string
	drawing string
	want    []string
}{
	// The table, row by row, each with what just misses it.
	{"message: a producer and a consumer by kind", "P PRODUCER 0-10\n  C CONSUMER 30-40", []string{"C < P message 10"}},
	{"message: a producer and a receive span of kind CLIENT", "P PRODUCER 0-10\n  C CLIENT 30-40 op=receive\n    W 40-50", []string{"C < P message 10", "W < C detached-after 40"}},
	{"message: a producer and a process span of kind INTERNAL", "P PRODUCER 0-10\n  C 30-40 op=process", []string{"C < P message 10"}},
	{"message: ready is the producer's end, though the consumer starts before it", "P PRODUCER 0-10\n  C CONSUMER 5-40", []string{"C < P message 10"}},
	{"no message: the consumer's operation is send", "P PRODUCER 0-10\n  C CLIENT 2-8 op=send service=P", []string{"C < P call 2"}},
	{"message: to a span of any kind in another service", "P PRODUCER 0-10\n  C 30-40", []string{"C < P message 10"}},
	{"message: to a server in another service that is no call", "P PRODUCER 0-10\n  C SERVER 30-40", []string{"C < P message 10"}},
	{"no message: a broker or sidecar that is called", "P PRODUCER 0-10\n  C SERVER 2-8", []string{"C < P call 2"}},
	{"no message: a sidecar that ends within the tolerance", "P PRODUCER 0-10\n  C SERVER 2-11", []string{"C < P call 2"}},
	{"no message: a span of any kind in the producer's service", "P PRODUCER 0-10\n  C 30-40 service=P", []string{"C < P detached-after 10"}},
	{"message: faas.trigger pubsub is consumer-side", "P PRODUCER 0-10\n  C SERVER 2-8 service=P faas.trigger=pubsub", []string{"C < P message 10"}},
	{"message: the context of a server span was injected", "S SERVER 0-50\n  C CONSUMER 60-90", []string{"C < S message 50"}},
	{"message: of an injected context, ready when the consumer begins", "S 0-50\n  C CONSUMER 20-90", []string{"C < S message 20"}},
	{"no message: an injected context within a service", "S SERVER 0-50\n  C CONSUMER 60-90 service=S", []string{"C < S detached-after 50"}},
	{"no message: from a consumer-side span", "S 0-50 op=process\n  C CONSUMER 60-90", []string{"C < S detached-after 50"}},
	{"mailbox: carry on, after a wait", "s.S SERVER 0-10\n  s.C 30-40 tracelab.carry_on=true", []string{"s.C < s.S mailbox 10"}},
	{"no mailbox: in another service", "s.S SERVER 0-10\n  t.C 30-40 tracelab.carry_on=true", []string{"t.C < s.S detached-after 10"}},
	{"no mailbox: while its parent runs", "s.S SERVER 0-10\n  s.C 5-40 tracelab.carry_on=true", []string{"s.C < s.S detached-overlap 5"}},
	{"no message: the parent is a client", "P CLIENT 0-10\n  C CONSUMER 30-40", []string{"C < P detached-after 10"}},
	{"continuation: one consumer span after another in one service", "s.A CONSUMER 0-10\n  s.B CONSUMER 10-20", []string{"s.B < s.A continuation 10"}},
	{"no continuation: another service", "s.A CONSUMER 0-10\n  t.B CONSUMER 10-20", []string{"t.B < s.A detached-after 10"}},
	{"no continuation: it starts before the first one ends", "s.A CONSUMER 0-10\n  s.B CONSUMER 9-20", []string{"s.B < s.A detached-overlap 9"}},
	{"no continuation: one side is no consumer", "s.A CONSUMER 0-10\n  s.B 10-20", []string{"s.B < s.A detached-after 10"}},
	{"detached-after: starts when the parent has ended", "A 0-10\n  B 10-11", []string{"B < A detached-after 10"}},
	{"no detached-after: no length, at the parent's end", "A 0-10\n  B 10-10", []string{"B < A call 10"}},
	{"detached-after comes before abandoned: a server that starts after its client ended", "A CLIENT 0-10 error\n  B SERVER 11-20", []string{"B < A detached-after 10"}},
	{"abandoned: the client gave up, and its status says so", "A CLIENT 0-10 error\n  B SERVER 1-20", []string{"B < A abandoned 1"}},
	{"abandoned: the client gave up, and error.type says so", "A CLIENT 0-10 error.type=timeout\n  B SERVER 1-20", []string{"B < A abandoned 1"}},
	{"no abandoned: within the tolerance", "A CLIENT 0-10 error\n  B SERVER 1-11", []string{"B < A call 1"}},
	{"no abandoned: without an error the client waited, and the server's span ends late", "A CLIENT 0-10\n  B SERVER 1-20", []string{"B < A call 1"}},
	{"no abandoned: the parent is no client", "A 0-10 error\n  B SERVER 1-20", []string{"B < A detached-overlap 1"}},
	{"no abandoned: the child is no server", "A CLIENT 0-10 error\n  B 1-20", []string{"B < A detached-overlap 1"}},
	{"detached-overlap: started within, ends over 1 ms later", "A 0-10\n  B 1-11.000001", []string{"B < A detached-overlap 1"}},
	{"no detached-overlap: exactly 1 ms later is tolerated", "A 0-10\n  B 1-11", []string{"B < A call 1"}},
	{"no detached-overlap: of a long span 1 % is tolerated", "A 0-1000\n  B 1-1010", []string{"B < A call 1"}},
	{"detached-overlap: more than 1 % of a long span", "A 0-1000\n  B 1-1010.001", []string{"B < A detached-overlap 1"}},
	{"call: within its parent", "A 0-10\n  B 2-8", []string{"B < A call 2"}},
	{"call: a clock that is off, the child starts before its parent", "A 5-10\n  B 2-8", []string{"B < A call 2"}},

	// Links.
	{"a link to a producer is a message", "P PRODUCER 0-10\nC CONSUMER 30-40 link=P trace=2", []string{"C < P message 10"}},
	{"a link to a send span of kind CLIENT is a message", "P CLIENT 0-10 op=send\nC CONSUMER 30-40 link=P trace=2", []string{"C < P message 10"}},
	{"a link to any span with messaging attributes is a message", "P 0-10 topic=t\nC CONSUMER 30-40 link=P trace=2", []string{"C < P message 10"}},
	{"a link to a span without messaging attributes is related, not causal", "P SERVER 0-10\nC CONSUMER 30-40 link=P trace=2", nil},
	{"a link from a span that is not consumer-side is related", "P PRODUCER 0-10\nC 30-40 link=P trace=2", nil},
	{"a retry linked to the attempt before", "P PRODUCER 0-10\n  s.W1 CONSUMER 20-30 op=process error\ns.W2 CONSUMER 50-60 op=process link=s.W1 trace=2", []string{"s.W1 < P message 10", "s.W2 < s.W1 message 30"}},
	{"a parent and a link to it are one edge", "P PRODUCER 0-10\n  C CONSUMER 30-40 link=P", []string{"C < P message 10"}},
	{"a parent and a link to it are one edge, of the parent's class", "P CLIENT 0-10 op=send\n  C CONSUMER 30-40 link=P", []string{"C < P detached-after 10"}},
	{"two links to one span are one edge", "P PRODUCER 0-10\nC CONSUMER 30-40 link=P link=P trace=2", []string{"C < P message 10"}},
	{"a parent and links elsewhere are several edges", "P PRODUCER 0-10\n  C CONSUMER 30-40 link=Q\nQ PRODUCER 0-12 trace=2", []string{"C < P message 10", "C < Q message 12"}},
	{"a link to a create span means the span that sent what it made", "K PRODUCER 0-1 op=create\nP CLIENT 2-9 op=send link=K trace=2\nC CONSUMER 30-40 op=process link=K trace=3", []string{"P < K message 1", "C < P message 9"}},
	{"a parent that is a create span means that too", "K PRODUCER 0-1 op=create\n  C CONSUMER 30-40 op=process link=K\nP CLIENT 2-9 op=send link=K trace=2", []string{"P < K message 1", "C < P message 9"}},
	{"a create span that no send span links to is the producer", "K PRODUCER 0-1 op=create\nC CONSUMER 30-40 op=process link=K trace=3", []string{"C < K message 1"}},
	{"of two sends of one message, the last one before it was consumed", "K PRODUCER 0-1 op=create\nP CLIENT 2-9 op=send link=K trace=2\nQ CLIENT 10-12 op=send link=K trace=2\nR CLIENT 50-60 op=send link=K trace=2\nC CONSUMER 30-40 op=process link=K trace=3", []string{"P < K message 1", "Q < K message 1", "C < Q message 12", "R < K message 1"}},
	{"a batch of created messages sent at once", "K1 PRODUCER 0-1 op=create\nK2 PRODUCER 0-1 op=create\nP CLIENT 2-9 op=send link=K1 link=K2 trace=2\nC CONSUMER 30-40 op=process link=K1 trace=3\nD CONSUMER 30-40 op=process link=K2 trace=4", []string{"P < K1 message 1", "P < K2 message 1", "C < P message 9", "D < P message 9"}},
	{"a link to itself is no edge", "C CONSUMER 0-10 link=C op=process", nil},
	{"a link whose target is missing is no edge", "C CONSUMER 0-10 link=? op=process", nil},

	// Settle spans.
	{"a settle span has no edge from its parent", "W CONSUMER 0-10\n  K CLIENT 8-9 op=settle", nil},
	{"a settle span has no edge by a link", "P PRODUCER 0-10\nK CONSUMER 20-30 op=settle link=P trace=2", nil},
	{"nothing is led to by a settle span", "K CLIENT 0-10 op=settle\n  W 2-9\nC CONSUMER 11-12 link=K trace=2", nil},

	// Receive spans.
	{"an edge from a receive span by parent counts where there is no producer", "s.R CLIENT 0-10 op=receive\n  s.W CONSUMER 11-20 op=process", []string{"s.W < s.R continuation 10"}},
	{"an edge from a receive span by link is classified like a parent: continuation", "R CLIENT 0-10 op=receive\nW CONSUMER 11-20 op=process link=R service=R trace=2", []string{"W < R continuation 10"}},
	{"an edge from a receive span by link is classified like a parent: call", "R CLIENT 0-30 op=receive\nW CONSUMER 11-20 op=process link=R trace=2", []string{"W < R call 11"}},
	{"an edge from a receive span is dropped for a span with a message of its own", "R CLIENT 0-10 op=receive\n  W CONSUMER 11-20 op=process link=P\nP PRODUCER 0-5 trace=2", []string{"W < P message 5"}},
	{"a receive span from which no edge counts has no edges at all", "P PRODUCER 0-5\nR CLIENT 0-10 op=receive link=P trace=2\n  W CONSUMER 11-20 op=process link=P service=R", []string{"W < P message 5"}},
	{"a receive span of which one edge counts keeps those to it", "P PRODUCER 0-5\nR CLIENT 0-10 op=receive link=P trace=2\n  W CONSUMER 11-20 op=process link=P\n  V CONSUMER 21-30 op=process service=R", []string{"R < P message 5", "W < P message 5", "V < R continuation 10"}},
	{"a receive span that nothing follows stands for the handling", "P PRODUCER 0-5\n  R CLIENT 0-10 op=receive", []string{"R < P message 5"}},
	{"a receive span without a message that nothing follows has no edges", "S 0-5\n  R CLIENT 0-10 op=receive", nil},
	{"a receive span stands for the handling where only another service handles its message", "P PRODUCER 0-5\nR CLIENT 0-10 op=receive link=P trace=2\nW CONSUMER 11-20 op=process link=P trace=3", []string{"R < P message 5", "W < P message 5"}},
	{"a receive span stands for the handling where only another group handles its message", "P PRODUCER 0-5\nR CLIENT 0-10 op=receive group=g link=P trace=2\nW CONSUMER 11-20 op=process group=h service=R link=P trace=3", []string{"R < P message 5", "W < P message 5"}},
	{"a handler of any kind makes the receive span beside it a poll", "P PRODUCER 0-5\n  R CLIENT 6-7 op=receive\n  H 8-20 service=R", []string{"H < P message 5"}},
	{"of a poll of which one message is handled no message counts", "P PRODUCER 0-5\nQ PRODUCER 0-6 trace=2\nR CLIENT 0-10 op=receive link=P link=Q trace=3\n  W CONSUMER 11-20 op=process link=P service=R\n  V 12-13 service=R", []string{"W < P message 5", "V < R detached-after 10"}},
	{"a poll of one message keeps it for the work below it", "P PRODUCER 0-5\nR CLIENT 0-10 op=receive link=P trace=3\n  W CONSUMER 11-20 op=process link=P service=R\n  V 12-13 service=R", []string{"R < P message 5", "W < P message 5", "V < R detached-after 10"}},
	{"receive spans in a row: when the last has no edges the one before has none either", "P PRODUCER 0-5\nR1 CLIENT 0-10 op=receive link=P trace=2\n  R2 CLIENT 10-12 op=receive\nW CONSUMER 11-20 op=process link=P service=R1 trace=3", []string{"W < P message 5"}},
	{"a receive span by the old attribute", "P PRODUCER 0-5\nR CONSUMER 0-10 messaging.operation=receive link=P trace=2\n  W CONSUMER 11-20 messaging.operation=process link=P service=R", []string{"W < P message 5"}},
	{"a message edge from another consumer is no producer of its own", "R CLIENT 0-10 op=receive\n  W2 CONSUMER 40-50 op=process link=W1\nP PRODUCER 0-5 trace=2\n  W1 CONSUMER 20-30 op=process", []string{"W1 < P message 5", "W2 < R detached-after 10", "W2 < W1 message 30"}},

	// Again after a failure.
	{"retry: after a handling of the same consumer that failed", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error\n  w.B CONSUMER 30-40 group=g", []string{"w.A < P message 5", "w.B < P message 5", "w.B < w.A retry 20"}},
	{"retry: error.type is a failure", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error.type=x\n  w.B CONSUMER 30-40 group=g", []string{"w.A < P message 5", "w.B < P message 5", "w.B < w.A retry 20"}},
	{"retry: from the latest of several", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error\n  w.B CONSUMER 30-40 group=g error\n  w.C CONSUMER 50-60 group=g", []string{"w.A < P message 5", "w.B < P message 5", "w.B < w.A retry 20", "w.C < P message 5", "w.C < w.B retry 40"}},
	{"retry: a link to the handling before is one", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error\n  w.B CONSUMER 30-40 group=g link=w.A", []string{"w.A < P message 5", "w.B < P message 5", "w.B < w.A retry 20"}},
	{"no retry: a child of the handling before continues it", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error\nw.B CONSUMER 30-40 group=g parent=w.A link=P", []string{"w.A < P message 5", "w.B < w.A continuation 20", "w.B < P message 5"}},
	{"no retry: after a good end", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g\n  w.B CONSUMER 30-40 group=g", []string{"w.A < P message 5", "w.B < P message 5"}},
	{"no retry: the handling before it was good, though an earlier one failed", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error\n  w.B CONSUMER 30-40 group=g\n  w.C CONSUMER 50-60 group=g", []string{"w.A < P message 5", "w.B < P message 5", "w.B < w.A retry 20", "w.C < P message 5"}},
	{"no retry: before the failed one had ended", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error\n  w.B CONSUMER 19-40 group=g", []string{"w.A < P message 5", "w.B < P message 5"}},
	{"no retry: of another group", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g error\n  w.B CONSUMER 30-40 group=h", []string{"w.A < P message 5", "w.B < P message 5"}},
	{"no retry: without a group, another handler of the service", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 error\n  w.B CONSUMER 30-40", []string{"w.A < P message 5", "w.B < P message 5"}},
	{"retry: without a group, the same handler", "P PRODUCER 0-5\n  w CONSUMER 10-20 error\n  w CONSUMER 30-40", []string{"w < P message 5", "w < P message 5", "w < w retry 20"}},
	{"no retry: of another destination", "P PRODUCER 0-5\n  w.A CONSUMER 10-20 group=g topic=q error\n  w.B CONSUMER 30-40 group=g topic=r", []string{"w.A < P message 5", "w.B < P message 5"}},

	// Several parents.
	{"a join: within the nearest common caller, after its parents", "A 0-100\n  L 5-20\n  R 5-40\n  J 50-80 parent=L childof=R", []string{"L < A call 5", "R < A call 5", "J < L continuation 20", "J < R continuation 40"}},
	{"no join: before one of its parents had ended", "A 0-100\n  L 5-20\n  R 5-60\n  J 50-58 parent=L childof=R", []string{"L < A call 5", "R < A call 5", "J < L detached-after 20", "J < R call 50"}},
	{"no join: beyond the common caller", "A 0-100\n  L 5-20\n  R 5-40\n  J 50-180 parent=L childof=R", []string{"L < A call 5", "R < A call 5", "J < L detached-after 20", "J < R detached-after 40"}},

	// What was wrong with the data.
	{"a parent that is missing is no edge", "A 0-10 parent=?", nil},
	{"a cycle of parents is cut at its earliest span", "A 1-10 parent=C\nB 2-9 parent=A\nC 3-8 parent=B", []string{"B < A call 2", "C < B call 3"}},
	{"of the earliest spans of a cycle the lower id is cut", "A 1-10 parent=B id=00000000000000b1\nB 1-10 parent=A id=00000000000000a1", []string{"A < B call 1"}},
	{"a span that is its own parent", "A 1-10 parent=A", nil},
	{"of two spans with one id references mean the earlier", "A 0-10 id=00000000000000aa\nB 1-5 id=00000000000000aa\nC 2-4 parent=A", []string{"C < A call 2"}},
	{"a span that ended before it started has no length", "A 5-2\n  B 5-6", []string{"B < A detached-after 5"}},
}

func TestEdges(t *testing.T) {
	for _, c := range edgeCases {
		t.Run(c.why, func(t *testing.T) {
			equalLines(t, "edges", edges(newSet(t, c.drawing)), c.want)
		})
	}
}

// edges writes all edges of a set, by effect in the set's order.
func edges(set *journey.Set) []string {
	var list []string
	for i := range journey.Index(set.Len()) {
		for e := range set.Causes(i) {
			ready := strconv.FormatFloat(float64(e.Ready-draw.Base)/1e6, 'f', -1, 64)
			list = append(list, fmt.Sprintf("%s < %s %s %s", set.Span(i).Name, set.Span(e.From).Name, e.Class, ready))
		}
	}
	return list
}

// The tolerance is of the parent's length, not of the root's, and effective ends go down the whole chain of calls.
func TestToleranceIsOfTheParent(t *testing.T) {
	set := newSet(t, "A 0-100\n  B 0-100.9\n    C 0-101.5")
	equalLines(t, "edges", edges(set), []string{"B < A call 0", "C < B call 0"})
	if end := set.EffectiveEnd(2); end != draw.Base+100e6 {
		t.Errorf("C counts until %d, want A's end", end-draw.Base)
	}
}
