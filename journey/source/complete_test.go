package source_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
	"tracelab/journey/source"
)

// memory is a store of spans. It counts questions, and can be made to fail.
type memory struct {
	spans []journey.Span
	fail  func(what string) error

	mu    sync.Mutex
	asked []string
}

func (m *memory) question(what string) error {
	m.mu.Lock()
	m.asked = append(m.asked, what)
	m.mu.Unlock()
	if m.fail != nil {
		return m.fail(what)
	}
	return nil
}

func (m *memory) Trace(ctx context.Context, id journey.TraceID) (source.Answer, error) {
	if err := m.question("trace " + strings.TrimLeft(id.String(), "0")); err != nil {
		return source.Answer{}, err
	}
	r := source.Answer{Warnings: []journey.Warning{{Rule: journey.RuleFormatLoss, Text: "some of it was lost"}}}
	for _, s := range m.spans {
		if s.Trace == id {
			r.Spans = append(r.Spans, s)
		}
	}
	if len(r.Spans) == 0 {
		return r, fmt.Errorf("memory: %w", source.ErrNotStored)
	}
	return r, ctx.Err()
}

func (m *memory) Search(ctx context.Context, q source.Query) (source.Answer, error) {
	for key, value := range q.Attributes {
		if err := m.question("search " + key + "=" + value); err != nil {
			return source.Answer{}, err
		}
	}
	var r source.Answer
	traces := make(map[journey.TraceID]bool)
	for _, s := range m.spans {
		for key, value := range q.Attributes {
			v, _ := s.Attr(key)
			traces[s.Trace] = traces[s.Trace] || v.String() == value && s.Start >= q.Start.UnixNano() && s.Start < q.End.UnixNano()
		}
	}
	for _, s := range m.spans {
		if traces[s.Trace] {
			r.Spans = append(r.Spans, s)
		}
	}
	return r, ctx.Err()
}

// chain is five traces, each linked to the one before.
const chain = `
a CLIENT 0-10
  a.send PRODUCER 2-4 trace=1 order.id=7
b CONSUMER 20-30 trace=2 link=a.send order.id=7
  b.send PRODUCER 22-24
c CONSUMER 40-50 trace=3 link=b.send order.id=7
  c.send PRODUCER 42-44
d CONSUMER 60-70 trace=4 link=c.send order.id=8
e CONSUMER 80-90 trace=5 link=d
`

func spansOf(t *testing.T, drawing string) []journey.Span {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	return spans
}

func pick(spans []journey.Span, names ...string) []journey.Span {
	var picked []journey.Span
	for _, s := range spans {
		if slices.Contains(names, s.Name) {
			picked = append(picked, s)
		}
	}
	return picked
}

func names(spans []journey.Span) string {
	var list []string
	for _, s := range spans {
		list = append(list, s.Name)
	}
	return strings.Join(list, " ")
}

func rules(warnings []journey.Warning) string {
	var list []string
	for _, w := range warnings {
		list = append(list, string(w.Rule))
	}
	return strings.Join(list, " ")
}

// byOrder ties the traces of an order together.
var byOrder = source.WithKeys("order.id")

func TestComplete(t *testing.T) {
	all := spansOf(t, chain)
	for _, c := range []struct {
		why           string
		given, stored []journey.Span
		options       []source.CompleteOption
		want, asked   string
		missing       string
		rules         string
	}{
		{"back along links", pick(all, "e"), all, nil, "e d c c.send b b.send a a.send", "trace 4, trace 3, trace 2, trace 1", "", "D11"},
		{"a missing parent", pick(all, "a.send"), all, nil, "a.send a", "trace 1", "", "D11"},
		{"duplicates among the spans given are kept", append(pick(all, "a.send"), pick(all, "a.send")...), all, nil, "a.send a.send a", "trace 1", "", "D11"},
		{"nothing is missing", pick(all, "a", "a.send"), all, nil, "a a.send", "", "", ""},
		{"forwards by attribute", pick(all, "a", "a.send"), all, []source.CompleteOption{byOrder}, "a a.send b b.send c c.send", "search order.id=7", "", ""},
		{"by attribute, then back, and by what is found there", pick(all, "e", "d"), all, []source.CompleteOption{byOrder},
			"d e c c.send a a.send b b.send", "search order.id=8, trace 3, search order.id=7", "", "D11"},
		{"not by attribute out of time", pick(all, "a", "a.send"), all, []source.CompleteOption{byOrder, source.WithMargin(time.Millisecond)}, "a a.send", "search order.id=7", "", ""},
		{"a trace is not stored", pick(all, "c"), pick(all, "e"), nil, "c", "trace 2", "not stored link", "P04"},
		{"a span of a stored trace is not", pick(all, "c"), pick(all, "b"), nil, "c b", "trace 2, trace 1", "not stored link, not stored link", "D11 P04"},
		{"a parent is not stored", pick(all, "a.send"), nil, nil, "a.send", "trace 1", "not stored", "P01"},
		{"no more questions", pick(all, "e"), all, []source.CompleteOption{source.WithQuestions(2)}, "e d c c.send", "trace 4, trace 3", "not fetched link", "D11 P04"},
		{"no more questions, so no search", pick(all, "e", "d", "a", "a.send"), all, []source.CompleteOption{byOrder, source.WithQuestions(1)},
			"a a.send d e b b.send c c.send", "search order.id=7", "", "D12"},
	} {
		t.Run(c.why, func(t *testing.T) {
			store := &memory{spans: c.stored}
			got, err := source.Complete(t.Context(), c.given, store, c.options...)
			if err != nil {
				t.Fatal(err)
			}
			if names(got.Spans) != c.want || got.Fetched != len(got.Spans)-len(c.given) {
				t.Errorf("spans %s, %d of them fetched; want %s", names(got.Spans), got.Fetched, c.want)
			}
			if asked := strings.Join(store.asked, ", "); asked != c.asked || got.Questions != len(store.asked) {
				t.Errorf("asked %q, said to be %d; want %q", asked, got.Questions, c.asked)
			}
			var missing []string
			for _, m := range got.Missing {
				text := m.Absence.String()
				if m.Link {
					text += " link"
				}
				missing = append(missing, text)
				if got.Absence(m.Ref) != m.Absence {
					t.Errorf("absence of %v is %v, want %v", m.Ref, got.Absence(m.Ref), m.Absence)
				}
			}
			if strings.Join(missing, ", ") != c.missing || rules(got.Warnings) != c.rules {
				t.Errorf("missing %q, warnings %v; want %q, %q", missing, got.Warnings, c.missing, c.rules)
			}
			if got.Absence(got.Spans[0].Ref()) != journey.AbsenceUnknown {
				t.Error("a span that is there is missing")
			}
		})
	}
}

// What is fetched makes one journey of five traces.
func TestCompleteMakesAJourney(t *testing.T) {
	all := spansOf(t, strings.ReplaceAll(chain, "order.id=8", "order.id=7"))
	got, err := source.Complete(t.Context(), pick(all, "a", "a.send"), &memory{spans: all}, byOrder)
	if err != nil {
		t.Fatal(err)
	}
	journeys := journey.NewSet(got.Spans).Journeys()
	if len(journeys) != 1 || journeys[0].Completion() != 70e6 {
		t.Errorf("%d journeys, completion %v, of %s", len(journeys), journeys[0].Completion(), names(got.Spans))
	}
}

func TestCompleteFailures(t *testing.T) {
	all := spansOf(t, chain)
	broken := errors.New("connection refused")
	t.Run("a store that is down is asked one round", func(t *testing.T) {
		store := &memory{spans: all, fail: func(string) error { return broken }}
		got, err := source.Complete(t.Context(), pick(all, "b", "e"), store)
		if err != nil || len(store.asked) != 2 || len(got.Missing) != 2 || got.Missing[0].Absence != journey.AbsenceNotFetched {
			t.Errorf("asked %v, missing %v, %v", store.asked, got.Missing, err)
		}
		if len(got.Warnings) != 1 || !strings.Contains(got.Warnings[0].Text, "2 targets of links are not fetched") || !strings.HasSuffix(got.Warnings[0].Text, "connection refused") {
			t.Errorf("warnings %v", got.Warnings)
		}
	})
	t.Run("one answer that fails does not stop the others", func(t *testing.T) {
		store := &memory{spans: all, fail: func(what string) error {
			if what == "trace 4" {
				return broken
			}
			return nil
		}}
		got, err := source.Complete(t.Context(), pick(all, "c", "e"), store)
		if err != nil || names(got.Spans) != "c e b b.send a a.send" || len(got.Missing) != 1 {
			t.Errorf("spans %s, missing %v, %v", names(got.Spans), got.Missing, err)
		}
	})
	t.Run("a store that cannot search is asked for traces", func(t *testing.T) {
		store := &memory{spans: all, fail: func(what string) error {
			if strings.HasPrefix(what, "search") {
				return broken
			}
			return nil
		}}
		got, err := source.Complete(t.Context(), pick(all, "c"), store, byOrder)
		if err != nil || names(got.Spans) != "c b b.send a a.send" || len(got.Missing) != 0 || len(got.Warnings) != 2 {
			t.Errorf("spans %s, missing %v, warnings %v, %v", names(got.Spans), got.Missing, got.Warnings, err)
		}
	})
	t.Run("a search that fails is told", func(t *testing.T) {
		store := &memory{spans: all, fail: func(what string) error {
			if strings.HasPrefix(what, "search") {
				return broken
			}
			return nil
		}}
		got, err := source.Complete(t.Context(), pick(all, "a", "a.send"), store, byOrder)
		if err != nil || len(got.Warnings) != 1 || got.Warnings[0].Text != "1 of 1 searches by attribute were not answered, so journeys may lack traces: connection refused" {
			t.Errorf("warnings %v, %v", got.Warnings, err)
		}
	})
}

// slow answers when it is too late.
type slow struct{ memory }

func (s *slow) Trace(ctx context.Context, id journey.TraceID) (source.Answer, error) {
	select {
	case <-time.After(time.Hour):
		return s.memory.Trace(ctx, id)
	case <-ctx.Done():
		return source.Answer{}, ctx.Err()
	}
}

func TestCompleteTakesNoLongerThanItMay(t *testing.T) {
	all := spansOf(t, chain)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		got, err := source.Complete(t.Context(), pick(all, "e"), &slow{}, source.WithTimeout(5*time.Second))
		if err != nil || time.Since(start) != 5*time.Second || got.Missing[0].Absence != journey.AbsenceNotFetched {
			t.Errorf("after %v: missing %v, %v", time.Since(start), got.Missing, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := source.Complete(ctx, pick(all, "e"), &slow{}); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	})
}
