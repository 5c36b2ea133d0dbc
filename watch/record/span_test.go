package record_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/lint"
	"tracelab/journey/source"
	"tracelab/watch/record"
)

func slimmest() journey.Span {
	s := journey.Span{Trace: journey.TraceID{1}, ID: journey.SpanID{2}, Parent: journey.SpanID{3}, Start: -5, End: 1 << 62, Kind: journey.KindConsumer,
		Status: journey.StatusError, Service: "s", Name: "n", Flags: 0x101, TraceState: "ot=th:8", DroppedLinks: 2, Resource: &journey.Resource{HostID: "h", InstanceID: "i"}}
	for _, v := range []journey.Value{journey.StringValue("x"), journey.BoolValue(true), journey.IntValue(-7), journey.FloatValue(1.5), journey.BytesValue([]byte{0, 255}), journey.JSONValue("[1]"), {}} {
		s.Attributes = append(s.Attributes, journey.Attribute{Key: "error.type", Value: v})
	}
	s.Links = []journey.Link{{Ref: journey.Ref{Trace: s.Trace, Span: journey.SpanID{9}}, Flags: 1, DroppedAttributes: 3, Attributes: s.Attributes[:1]}, {Ref: journey.Ref{Trace: journey.TraceID{8}, Span: journey.SpanID{9}}}}
	return s
}

func TestSpansComeBack(t *testing.T) {
	want := slimmest()
	full := want
	full.Scope, full.StatusMessage, full.TraceState = "library", "why", "vendor=x,ot=th:8"
	full.Attributes = append(full.Attributes[:len(full.Attributes):len(full.Attributes)], journey.Attribute{Key: "url.full", Value: journey.StringValue("https://example.com/")})
	full.Resource = &journey.Resource{HostID: "h", InstanceID: "i", Attributes: []journey.Attribute{{Key: "os.type", Value: journey.StringValue("linux")}}}
	bytes := record.AppendSpan(nil, &full)
	got, err := record.DecodeSpan(bytes)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
	}
	resource, body, err := record.Split(bytes)
	if joined := record.Join(nil, string(resource), string(body)); err != nil || string(joined) != string(bytes) {
		t.Errorf("split and joined: %q, %v; want %q", joined, err, bytes)
	}
	for n := range bytes {
		if _, err := record.DecodeSpan(bytes[:n]); err == nil {
			t.Errorf("the first %d of %d bytes were read without an error", n, len(bytes))
		}
	}
}

// The judge and lint say the same of slim spans as of whole ones.
func TestSlimSpansAreJudgedAlike(t *testing.T) {
	files, err := filepath.Glob("../../journey/testdata/*/*.json*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no traces to judge: %v", err)
	}
	judged := 0
	for _, file := range files {
		result, err := source.ReadFile(file)
		if err != nil || len(result.Spans) == 0 {
			continue // some are damaged on purpose
		}
		judged++
		slim := make([]journey.Span, len(result.Spans))
		for i := range result.Spans {
			s := &result.Spans[i]
			s.Warnings = nil // a store's: there is none on the way
			if slim[i], err = record.DecodeSpan(record.AppendSpan(nil, s)); err != nil {
				t.Fatal(err)
			}
		}
		if got, want := judgement(slim), judgement(result.Spans); got != want {
			t.Errorf("%s: slim spans give\n%s\nwhole ones\n%s", file, got, want)
		}
	}
	if judged < 10 {
		t.Errorf("%d files were judged, want 10 and more", judged)
	}
}

func judgement(spans []journey.Span) string {
	set := journey.NewSet(spans)
	text := fmt.Sprintln(set.Warnings())
	for _, j := range set.Journeys() {
		weight, _ := j.Weight()
		text += fmt.Sprintln(j.Completion(), j.CompletionPath(), j.ResponsePath(), j.Messages(), j.FanOut(), j.Warnings(), weight)
	}
	return text + fmt.Sprintf("%+v", lint.Check(set))
}

// Every attribute that the judge and lint name is read.
func TestEveryKeyThatIsReadIsKept(t *testing.T) {
	quoted := regexp.MustCompile(`"((?:[a-z_]+\.)+[a-z_]+)"`)
	elsewhere := map[string]bool{ // not an attribute of a span
		"messaging.": true, "service.name": true, "host.id": true, "host.name": true, "service.instance.id": true, "tracelab.headers.other": true,
	}
	found := 0
	for _, folder := range []string{"../../journey", "../../journey/lint", "../../journey/semconv", "../../journey/compare"} {
		files, err := filepath.Glob(folder + "/*.go")
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for n, line := range strings.Split(string(text), "\n") {
				if strings.HasPrefix(line, "//") {
					continue // an example
				}
				for _, m := range quoted.FindAllStringSubmatch(line, -1) {
					if found++; elsewhere[m[1]] {
						continue
					}
					if present, _ := record.Reads(m[1]); !present {
						t.Error(file + ":" + strconv.Itoa(n+1) + ": " + m[1] + " is read, and not kept in slim spans")
					}
				}
			}
		}
	}
	if found < 60 {
		t.Errorf("%d keys found in the source, want 60 and more", found)
	}
}
