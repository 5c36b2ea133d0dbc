package journey_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// parents writes each span with its trace's halves and its parent, by names.
func parents(set *journey.Set) []string {
	var list []string
	for i := range journey.Index(set.Len()) {
		s := set.Span(i)
		parent := "-"
		if !s.Parent.IsZero() {
			parent = "missing"
			if p, ok := set.Find(journey.Ref{Trace: s.Trace, Span: s.Parent}); ok {
				parent = set.Span(p).Name
			}
		}
		list = append(list, fmt.Sprintf("%d/%d %s < %s", s.Trace[7], s.Trace[15], s.Name, parent))
	}
	slices.Sort(list)
	return list
}

// whole gives the traces of a drawing ids of 128 bits: trace 21 has 2 in the upper half and 1 in the lower, trace 1 none in the upper.
func whole(t *testing.T, drawing string) []journey.Span {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	fix := func(trace *journey.TraceID) { trace[7], trace[15] = trace[15]/10, trace[15]%10 }
	for i := range spans {
		fix(&spans[i].Trace)
		for l := range spans[i].Links {
			fix(&spans[i].Links[l].Trace)
		}
	}
	return spans
}

func TestCutTraces(t *testing.T) {
	for _, c := range []struct {
		why, drawing string
		want         []string
	}{
		{"a parent that is in the trace with the whole id", "A 0-9 trace=21\nB 1-8 trace=1 parent=A\n  C 2-7",
			[]string{"2/1 A < -", "2/1 B < A", "2/1 C < B"}},
		{"a parent that is in the trace with the cut id", "A 0-9 trace=1\nB 1-8 trace=21 parent=A",
			[]string{"2/1 A < -", "2/1 B < A"}},
		{"a parent that is in neither", "A 0-9 trace=21\nB 1-8 trace=1 parent=?",
			[]string{"0/1 B < missing", "2/1 A < -"}},
		{"a parent that is there", "A 0-9 trace=21\nB 1-8 trace=1\n  C 2-7",
			[]string{"0/1 B < -", "0/1 C < B", "2/1 A < -"}},
		{"two traces that end in it", "A 0-9 trace=21\nX 0-9 trace=31\nB 1-8 trace=1 parent=A",
			[]string{"0/1 B < missing", "2/1 A < -", "3/1 X < -"}},
		{"two traces that end in it, the second with the parent", "X 0-9 trace=21\nA 0-9 trace=31\nB 1-8 trace=1 parent=A",
			[]string{"0/1 B < missing", "2/1 X < -", "3/1 A < -"}},
		{"one that ends otherwise", "A 0-9 trace=22\nB 1-8 trace=1 parent=A",
			[]string{"0/1 B < missing", "2/2 A < -"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			equalLines(t, "spans", parents(journey.NewSet(whole(t, c.drawing))), c.want)
		})
	}
	// Links follow.
	set := journey.NewSet(whole(t, "a.A PRODUCER 0-9 trace=21\na.B PRODUCER 1-8 trace=1 parent=a.A\nc.C CONSUMER 10-20 link=a.B trace=42"))
	if j := rootedAt(set, 0); len(j.Messages()) != 1 {
		t.Errorf("a link to a cut trace leads to no message: %v", parents(set))
	}
}

// Two exporters of one service send a span twice, with what each adds to the resource.
func TestCopiesOfOneSpan(t *testing.T) {
	spans, err := draw.Spans("a.S SERVER 0-9\n  a.C 1-8")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		why    string
		change func(*journey.Span)
		want   int
	}{
		{"the resource", func(s *journey.Span) { s.Resource = &journey.Resource{HostName: "h"} }, 2},
		{"the service", func(s *journey.Span) { s.Service = "b" }, 2},
		{"an attribute", func(s *journey.Span) {
			s.Attributes = []journey.Attribute{{Key: "k", Value: journey.StringValue("v")}}
		}, 2},
		{"the name", func(s *journey.Span) { s.Name = "other" }, 3},
		{"the kind", func(s *journey.Span) { s.Kind = journey.KindServer }, 3},
		{"the start", func(s *journey.Span) { s.Start++ }, 3},
		{"the end", func(s *journey.Span) { s.End++ }, 3},
	} {
		twin := spans[1]
		c.change(&twin)
		if set := journey.NewSet(append(slices.Clone(spans), twin)); set.Len() != c.want {
			t.Errorf("a copy that differs in %s: %d spans, want %d", c.why, set.Len(), c.want)
		}
	}
}

// One id for both halves of calls, anywhere in a tree: the server is below the client, and what names the id is below the half of
// its own service, else below the server.
func TestSharedIDs(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type call struct{ client, server int }
		n := rapid.IntRange(2, 12).Draw(t, "spans")
		spans := make([]journey.Span, n)
		want, calls := map[string]string{}, map[journey.SpanID]call{}
		for i := range spans {
			s := &spans[i]
			s.Name, s.Trace[0], s.Kind = fmt.Sprint("s", i), 1, journey.KindInternal
			binary.BigEndian.PutUint64(s.ID[:], uint64(i+1))
			s.Service = rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "service")
			s.Start = draw.Base + int64(i)
			s.End = s.Start + 1000
		}
		for i := 0; i+1 < n; i++ { // halves stand one after the other
			if rapid.IntRange(0, 2).Draw(t, "shared") == 2 {
				spans[i].Kind, spans[i+1].Kind, spans[i+1].ID = journey.KindClient, journey.KindServer, spans[i].ID
				calls[spans[i].ID] = call{i, i + 1}
				i++
			}
		}
		for i := 1; i < n; i++ {
			p := rapid.IntRange(0, i-1).Draw(t, "parent")
			s := &spans[i]
			if c, ok := calls[s.ID]; ok && c.server == i {
				s.Parent = spans[c.client].Parent
				want[s.Name] = spans[c.client].Name
				continue
			}
			s.Parent = spans[p].ID
			want[s.Name] = spans[p].Name
			if c, ok := calls[s.Parent]; ok {
				want[s.Name] = spans[c.server].Name
				if s.Service == spans[c.client].Service && s.Service != spans[c.server].Service {
					want[s.Name] = spans[c.client].Name
				}
			}
		}
		set := journey.NewSet(rapid.Permutation(spans).Draw(t, "order"))
		if set.Len() != n {
			t.Fatalf("%d spans, want %d", set.Len(), n)
		}
		ids := map[journey.SpanID]bool{}
		for i := range journey.Index(n) {
			s := set.Span(i)
			parent := ""
			if p, ok := set.Find(journey.Ref{Trace: s.Trace, Span: s.Parent}); ok {
				parent = set.Span(p).Name
			}
			if ids[s.ID] || parent != want[s.Name] {
				t.Fatalf("%s of %s has the id %s (there already: %v) and the parent %q, want %q:\n%s", s.Name, s.Service, s.ID, ids[s.ID], parent, want[s.Name], describe(set))
			}
			ids[s.ID] = true
		}
	})
}
