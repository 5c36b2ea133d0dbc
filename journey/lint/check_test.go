package lint_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
	"tracelab/journey/lint"
)

// span is how a test changes what a drawing cannot say.
type span = *journey.Span

// drawn reads a drawing. In it, send=, process=, poll= and so on are shorthands for a whole messaging span.
func drawn(t testing.TB, drawing string, edit func(find func(name string) span)) []journey.Span {
	t.Helper()
	spans, err := draw.Spans(expand(drawing))
	if err != nil {
		t.Fatal(err)
	}
	if edit != nil {
		edit(func(name string) span {
			for i := range spans {
				if spans[i].Name == name {
					return &spans[i]
				}
			}
			t.Fatalf("no span %q", name)
			return nil
		})
	}
	for i := range spans {
		rename(&spans[i])
		keepLast(&spans[i])
	}
	return spans
}

// shorthands are attributes of spans as they should be.
var shorthands = map[string]string{
	"$create":  "PRODUCER op=create messaging.operation.name=create messaging.system=kafka messaging.destination.name=T",
	"$send":    "PRODUCER op=send messaging.operation.name=send messaging.system=kafka messaging.destination.name=T messaging.destination.partition.id=3 messaging.kafka.offset=7",
	"$csend":   "CLIENT op=send messaging.operation.name=send messaging.system=kafka messaging.destination.name=T messaging.destination.partition.id=3 messaging.kafka.offset=7",
	"$process": "CONSUMER op=process messaging.operation.name=process messaging.system=kafka messaging.destination.name=T group=g messaging.destination.partition.id=3 messaging.kafka.offset=7",
	"$batch":   "CONSUMER op=process messaging.operation.name=process messaging.system=kafka messaging.destination.name=T group=g",
	"$poll":    "CLIENT op=receive messaging.operation.name=poll messaging.system=kafka messaging.destination.name=T group=g",
	"$commit":  "CLIENT op=settle messaging.operation.name=commit messaging.system=kafka messaging.destination.name=T group=g",
}

// expand puts the shorthands in: "a $send 0-1" becomes "a PRODUCER 0-1 op=send …".
func expand(drawing string) string {
	lines := strings.Split(drawing, "\n")
	for i, l := range lines {
		for short, long := range shorthands {
			if at := strings.Index(l, short+" "); at >= 0 {
				kind, words, _ := strings.Cut(long, " ")
				times, own, _ := strings.Cut(strings.TrimSpace(l[at+len(short):]), " ")
				lines[i] = strings.Join([]string{l[:at] + kind, times, words, own}, " ")
			}
		}
	}
	return strings.Join(lines, "\n")
}

// rename gives a messaging span the name that its attributes want, unless the drawing gives one as span.name.
func rename(s span) {
	var name, destination string
	for i := 0; i < len(s.Attributes); i++ {
		switch a := s.Attributes[i]; a.Key {
		case "messaging.operation.name":
			name = a.Value.String()
		case "messaging.destination.name":
			destination = " " + a.Value.String()
		case "span.name":
			s.Name = strings.ReplaceAll(a.Value.String(), "_", " ")
			s.Attributes = slices.Delete(s.Attributes, i, i+1)
			return
		}
	}
	if name != "" {
		s.Name = name + destination
	}
}

// keepLast drops an attribute that a later one replaces.
func keepLast(s span) {
	var kept []journey.Attribute
	for i, a := range s.Attributes {
		if !slices.ContainsFunc(s.Attributes[i+1:], func(b journey.Attribute) bool { return b.Key == a.Key }) {
			kept = append(kept, a)
		}
	}
	s.Attributes = kept
}

func set(s span, key string, v journey.Value) {
	unset(s, key)
	s.Attributes = append(s.Attributes, journey.Attribute{Key: key, Value: v})
}

func unset(s span, keys ...string) {
	s.Attributes = slices.DeleteFunc(slices.Clone(s.Attributes), func(a journey.Attribute) bool { return slices.Contains(keys, a.Key) })
}

// check returns the findings as RULE NAME-OF-SPAN, the ones that repeat counted.
func check(t testing.TB, drawing string, edit func(func(string) span), opts ...lint.Option) []string {
	t.Helper()
	spans := drawn(t, drawing, edit)
	return rules(lint.Check(journey.NewSet(spans), opts...))
}

func rules(r lint.Result) []string {
	list := []string{}
	for _, f := range r.Findings {
		if n := len(list); n == 0 || list[n-1] != string(f.Rule) {
			list = append(list, string(f.Rule))
		}
	}
	return list
}

func TestRules(t *testing.T) {
	covered := make(map[string][2]bool)
	for _, c := range slices.Concat(messagingCases, structureCases, propagationCases, otherCases) {
		t.Run(c.rule+"/"+c.why, func(t *testing.T) {
			got := check(t, c.drawing, c.edit, c.options...)
			want := strings.Fields(c.want)
			if d := cmp.Diff(want, got, cmp.Transformer("nil", func(s []string) []string { return append([]string{}, s...) })); d != "" {
				t.Errorf("rules (-want +got):\n%s", d)
				for _, f := range lint.Check(journey.NewSet(drawn(t, c.drawing, c.edit)), c.options...).Findings {
					t.Log(f.Rule, f.Text)
				}
			}
		})
		k := covered[c.rule]
		k[0] = k[0] || slices.Contains(strings.Fields(c.want), c.rule)
		k[1] = k[1] || !slices.Contains(strings.Fields(c.want), c.rule)
		covered[c.rule] = k
	}
	for _, r := range lint.Rules() {
		if k := covered[string(r.ID)]; !k[0] || !k[1] {
			t.Errorf("%s: a trace that breaks it: %v; one that does not: %v", r.ID, k[0], k[1])
		}
		if r.Finds == "" || r.Fix == "" {
			t.Errorf("%s does not say what it finds and what to do", r.ID)
		}
		if family := r.ID[0]; (family == 'M' || family == 'S' || family == 'H') != (r.Convention != "") {
			t.Errorf("%s names the convention %q", r.ID, r.Convention)
		}
	}
}

// ruleCase is a trace and all rules that have something to say about it.
type ruleCase struct {
	rule    string // that the case is for
	why     string
	drawing string
	edit    func(find func(string) span)
	want    string
	options []lint.Option
}

// flow is a message as it should be, with both parent and link, and the poll and the commit around it.
const flow = `
root SERVER 0-50
  s.send $send 10-20
    c.process $process 60-90 service=c link=s.send
poll $poll 50-55 service=c trace=2 link=s.send messaging.batch.message_count=1
commit $commit 95-99 service=c trace=3
`

// TestOrder holds that the result does not depend on the order of the input.
func TestOrder(t *testing.T) {
	var drawing strings.Builder
	for k, c := range slices.Concat(messagingCases, structureCases) {
		if c.edit == nil && !strings.Contains(c.drawing, "trace=") && !strings.Contains(c.drawing, "id=") {
			for _, l := range strings.Split(strings.Trim(c.drawing, "\n"), "\n") {
				if l != "" && l[0] != ' ' && l[0] != '#' {
					l += fmt.Sprintf(" trace=%d", k+1)
				}
				fmt.Fprintln(&drawing, l)
			}
		}
	}
	spans := drawn(t, drawing.String(), nil)
	want := lint.Check(journey.NewSet(slices.Clone(spans)))
	if len(want.Findings) < 10 {
		t.Fatalf("only %d findings", len(want.Findings))
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		r.Shuffle(len(spans), func(i, j int) { spans[i], spans[j] = spans[j], spans[i] })
		if d := cmp.Diff(want, lint.Check(journey.NewSet(slices.Clone(spans)))); d != "" {
			t.Fatal(d)
		}
	}
	counts := want.Counts
	if sum := counts.AtLeast(lint.LevelAdvice); sum != len(want.Findings) || sum != counts.Error+counts.Warning+counts.Advice {
		t.Errorf("counts %+v of %d findings", counts, len(want.Findings))
	}
	byRule := 0
	for _, n := range counts.Rules {
		byRule += n
	}
	if byRule != len(want.Findings) {
		t.Errorf("rules count %d of %d findings", byRule, len(want.Findings))
	}
}
