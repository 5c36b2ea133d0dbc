package lint_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
)

// findings returns the texts and fixes of one rule's findings.
func findings(t *testing.T, rule journey.RuleID, drawing string, edit func(func(string) span), opts ...lint.Option) string {
	t.Helper()
	var b strings.Builder
	for _, f := range lint.Check(journey.NewSet(drawn(t, drawing, edit)), opts...).Findings {
		if f.Rule == rule {
			b.WriteString(f.Text + " | " + f.Fix + "\n")
		}
	}
	return b.String()
}

// TestWords holds that different causes are told apart in words.
func TestWords(t *testing.T) {
	orphan := func(flags uint32) func(func(string) span) {
		return func(find func(string) span) { find("a").Flags = flags }
	}
	gone := func(find func(string) span) { find("poll").Links[0].Span = journey.SpanID{9} }
	answer := func(l journey.Absence) lint.Option {
		return lint.WithLookup(func(journey.Ref) journey.Absence { return l })
	}
	for _, c := range []struct {
		name, got string
		has       []string
		not       string
	}{
		{"local parent", findings(t, "P01", "root 0-9\n  a 1-2 parent=?", orphan(0x101)), []string{"lost in the process", "this service"}, "boundary"},
		{"remote parent", findings(t, "P01", "root 0-9\n  a 1-2 parent=?", orphan(0x301)), []string{"lost at the boundary", "service that called"}, "in the process"},
		{"parent of unknown place", findings(t, "P01", "root 0-9\n  a 1-2 parent=?", nil), []string{"is missing"}, "was "},
		{"nothing to ask", findings(t, "P04", flow, gone), []string{"missing from these traces: not fetched, or not stored"}, "were not fetched"},
		{"not fetched", findings(t, "P04", flow, gone, answer(journey.AbsenceNotFetched)), []string{"not fetched"}, "not stored"},
		{"not stored", findings(t, "P04", flow, gone, answer(journey.AbsenceNotStored)), []string{"not stored"}, "not fetched"},
		{"old names have a version", findings(t, "M00", "root 0-9\n  s PRODUCER 1-2 messaging.system=kafka messaging.operation=publish messaging.kafka.client_id=x", nil),
			[]string{"conventions 1.20 or older", "messaging.kafka.client_id (now messaging.client.id)", "1.43.0"}, ""},
		{"the group that lacks it", findings(t, "P05", twoGroups, func(find func(string) span) {
			set(find("d.again"), "messaging.kafka.offset", journey.IntValue(9))
			find("d.again").Links = nil
		}), []string{"not consumed by h"}, "not consumed by g"},
		{"a client's peer", findings(t, "P06", calls+"  a.third CLIENT 30-40 server.address=b server.port=80", nil), []string{"a.third of a has no server span", "b at b:80"}, ""},
	} {
		for _, part := range c.has {
			if !strings.Contains(c.got, part) {
				t.Errorf("%s: no %q in %s", c.name, part, c.got)
			}
		}
		if c.not != "" && strings.Contains(c.got, c.not) {
			t.Errorf("%s: %q in %s", c.name, c.not, c.got)
		}
	}
}

// TestOnce holds that what two consumers show of one message is one finding.
func TestOnce(t *testing.T) {
	got := findings(t, "M13", twoGroups, func(find func(string) span) {
		for _, name := range []string{"c.one", "d.one"} {
			set(find(name), "messaging.kafka.message.key", journey.StringValue("k"))
		}
	})
	if strings.Count(got, "\n") != 1 || !strings.HasPrefix(got, "send T of s ") {
		t.Errorf("%q", got)
	}
}

const hostile = "x\x1b[31m\xff\u202eevil"

func hostileResult(t *testing.T) lint.Result {
	t.Helper()
	return lint.Check(journey.NewSet(drawn(t, "root 0-9\n  a 1-2 parent=?\n  b 1-2 parent=?\n  c 1-2 parent=?\n  d 1-2 parent=?", func(find func(string) span) {
		find("a").Service = hostile
		find("b").Name = "<script>"
	})))
}

func TestText(t *testing.T) {
	var b bytes.Buffer
	if err := hostileResult(t).WriteText(&b, format.Style{}, 0); err != nil {
		t.Fatal(err)
	}
	got := b.String()
	for _, part := range []string{"P01 error: 4 × ", `a of x\x1b[31m\xff\u202eevil names the parent`, "<script>", "and 1 more", "  fix: find out", "4 errors, 0 warnings, 0 advice"} {
		if !strings.Contains(got, part) {
			t.Errorf("no %q in\n%s", part, got)
		}
	}
	if strings.ContainsAny(got, "\x1b\u202e") || !utf8.ValidString(got) || strings.Count(got, "fix:") != 1 {
		t.Errorf("%q", got)
	}

	b.Reset()
	if err := hostileResult(t).WriteText(&b, format.Style{Color: true}, 1); err != nil {
		t.Fatal(err)
	}
	if got := b.String(); !strings.Contains(got, "P01 \x1b[31merror\x1b[0m: 4") || !strings.Contains(got, "and 3 more") {
		t.Errorf("%q", got)
	}

	b.Reset()
	if err := lint.Check(journey.NewSet(nil)).WriteText(&b, format.Style{}, 0); err != nil || b.String() != "No findings.\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	broken := errors.New("disk full")
	if err := (lint.Result{}).WriteText(failing{broken}, format.Style{}, 0); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	result := hostileResult(t)
	if err := result.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var d struct {
		Schema   string
		Findings []struct{ Rule, Level, Trace, Span, Text, Fix string }
		Counts   struct {
			Error, Warning, Advice *int
			Rules                  map[string]int
		}
	}
	if err := json.Unmarshal(b.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if d.Schema != "tracelab.lint/v1" || len(d.Findings) != 4 || *d.Counts.Error != 4 || *d.Counts.Warning != 0 || *d.Counts.Advice != 0 || d.Counts.Rules["P01"] != 4 {
		t.Errorf("%s", b.String())
	}
	f := d.Findings[0]
	if f.Rule != "P01" || f.Level != "error" || f.Trace != "00000000000000000000000000000001" || f.Span != "0000000000000002" || f.Text == "" || f.Fix == "" {
		t.Errorf("%+v", f)
	}
	b.Reset()
	if err := (lint.Result{}).WriteJSON(&b); err != nil || !strings.Contains(b.String(), `"findings": []`) || !strings.Contains(b.String(), `"rules": {}`) {
		t.Errorf("%s, %v", b.String(), err)
	}
}

func TestParseLevel(t *testing.T) {
	for _, l := range []lint.Level{lint.LevelError, lint.LevelWarning, lint.LevelAdvice} {
		if got, err := lint.ParseLevel(l.String()); err != nil || got != l {
			t.Errorf("%s: %v, %v", l, got, err)
		}
	}
	if _, err := lint.ParseLevel("severe"); err == nil || !strings.Contains(err.Error(), `"severe"`) {
		t.Errorf("error %v", err)
	}
	c := lint.Counts{Error: 1, Warning: 2, Advice: 4}
	if c.AtLeast(lint.LevelError) != 1 || c.AtLeast(lint.LevelWarning) != 3 || c.AtLeast(lint.LevelAdvice) != 7 {
		t.Error("AtLeast")
	}
}
