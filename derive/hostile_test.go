package derive_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tracelab/derive"
	"tracelab/journey"
	"tracelab/services/flows"
)

// hostile are pieces of names that mean something to YAML, to a terminal, or to a flow.
var hostile = []string{
	"a", "B", "z9", "0", "-", ".", "..", "/", ": ", "#", " # ", "\n", "\r", "\t", "\x00", "\x1b[2J", "\u0085", "\u2028", "\u202e", "\ufeff", "\xff\xfe", "{", "}", "[", "]", ",",
	"&x", "*x", "<<", "!!str", "|", ">", "%", "@", "`", "'", `"`, `\`, "---", "...", "null", "~", "true", "1e9", "gateway", "client", "doctor", "Settle", "failed", "settled",
	"order", "orders", "runs", "订单", "é", "ſ", "K", "steps:", "\nforms: {}", "é́", strings.Repeat("n", 200), "GET ", "/users/123",
}

// spansOf draws spans that need not make any sense.
func spansOf(t *rapid.T) []journey.Span {
	name := rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(rapid.SampledFrom(hostile), 0, 4).Draw(t, "pieces"), "")
	})
	services := rapid.SliceOfN(name, 1, 5).Draw(t, "services")
	names := rapid.SliceOfN(name, 1, 6).Draw(t, "names")
	journeys := rapid.IntRange(1, 4).Draw(t, "journeys")
	n := rapid.IntRange(1, 12).Draw(t, "spans")
	var spans []journey.Span
	for i := range n {
		s := journey.Span{
			Kind: journey.Kind(rapid.IntRange(0, 5).Draw(t, "kind")), Service: rapid.SampledFrom(services).Draw(t, "service"), Name: rapid.SampledFrom(names).Draw(t, "name"),
		}
		s.ID[7] = byte(i + 1)
		if i > 0 {
			s.Parent[7] = byte(rapid.IntRange(0, n+1).Draw(t, "parent"))
		}
		s.Start = rapid.Int64Range(0, 1000).Draw(t, "start") * 1e5
		s.End = s.Start + rapid.Int64Range(-10, 1000).Draw(t, "length")*1e5
		for _, key := range []string{"tracelab.step", "messaging.system", "messaging.destination.name", "messaging.operation.type", "messaging.message.conversation_id", "http.route", "rpc.system"} {
			if rapid.IntRange(0, 3).Draw(t, key) == 0 {
				value := rapid.OneOf(name, rapid.SampledFrom([]string{"kafka", "rabbitmq", "sqs", "send", "process", "receive", "orders.Accept", "a.B"})).Draw(t, "value")
				s.Attributes = append(s.Attributes, journey.Attribute{Key: key, Value: journey.StringValue(value)})
			}
		}
		if rapid.IntRange(0, 3).Draw(t, "linked") == 0 {
			l := journey.Link{}
			l.Span[7] = byte(rapid.IntRange(1, n).Draw(t, "link"))
			s.Links = append(s.Links, l)
		}
		spans = append(spans, s)
	}
	var all []journey.Span
	for j := range journeys {
		for i, s := range spans {
			if j > 0 && rapid.IntRange(0, 9).Draw(t, "gone") == 0 {
				continue
			}
			s.Trace[15] = byte(j + 1)
			s.Start += int64(j) * 1e9
			s.End += int64(j)*1e9 + rapid.Int64Range(0, 50).Draw(t, "later")*1e5
			s.Links = append([]journey.Link(nil), s.Links...)
			for k := range s.Links {
				s.Links[k].Trace = s.Trace
			}
			_ = i
			all = append(all, s)
		}
	}
	return all
}

// checkDerived holds what must be so for any journeys: a flow that is read and has a plan for each form, or one of the errors that say why there
// is none.
func checkDerived(t interface{ Fatalf(string, ...any) }, journeys []*journey.Journey, o derive.Options) {
	d, err := derive.From(journeys, o)
	_, incomplete := errors.AsType[*derive.IncompleteError](err)
	_, tooMany := errors.AsType[*derive.TooManyError](err)
	switch {
	case incomplete, tooMany, errors.Is(err, derive.ErrNoJourney):
		return
	case err != nil:
		t.Fatalf("%v", err)
	}
	text := string(d.YAML)
	if !utf8.ValidString(text) || strings.ContainsAny(text, "\r\t\x00\x1b\u0085\u2028\u202e\ufeff") {
		t.Fatalf("characters that nobody sees:\n%q", text)
	}
	f, err := flows.Parse("derived.yaml", d.YAML)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	for _, form := range f.Forms() {
		if _, err := f.Plan(form); err != nil {
			t.Fatalf("%s: %v\n%s", form, err, text)
		}
	}
	if _, ok := f.Column("traced"); !ok && !strings.Contains(text, "# There is no form as the traces are: ") {
		t.Fatalf("no form traced, and no word of it:\n%s", text)
	}
}

// TestWhateverTheTracesTheFileIsAFlow: spans in circles, without sense, with names that mean something to YAML.
func TestWhateverTheTracesTheFileIsAFlow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		o := derive.Options{AtLeast: rapid.IntRange(1, 4).Draw(t, "at least"), IncludeIncomplete: rapid.Bool().Draw(t, "incomplete"), From: strings.Join(rapid.SliceOfN(rapid.SampledFrom(hostile), 0, 3).Draw(t, "from"), "")}
		checkDerived(t, journey.NewSet(spansOf(t)).Journeys(), o)
	})
}

// FuzzNames gives one tree any names.
func FuzzNames(f *testing.F) {
	f.Add("shop", "POST /orders", "orders", "orders.Accept")
	f.Add("gateway", "\n# x: {", "a\u2028b", "Settle")
	f.Fuzz(func(t *testing.T, service, name, topic, step string) {
		n := node{service: service, name: name, work: ms, end: ms, calls: [][]node{{{service: topic, name: name, work: ms}, {service: name, name: step, work: ms}}},
			sends: []node{{service: step, name: topic, work: ms}, {service: service + step, name: topic, work: ms}}}
		checkDerived(t, drawn(n, 2, 0), derive.Options{AtLeast: 1, From: name})
	})
}
