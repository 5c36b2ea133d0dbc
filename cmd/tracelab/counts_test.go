package main

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// countedSet writes a set of two roots: eight orders of which two lack their consumer, and seven requests of which one line is
// cut. Lossless leaves nothing out.
func countedSet(t *testing.T, name string, first int, lossless bool) string {
	t.Helper()
	var b strings.Builder
	at := 0
	line := func(trace, span, parent int, service, name string, kind, start, end int, attributes string) string {
		return fmt.Sprintf(`{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"%s"}}]},"scopeSpans":[{"spans":[{"traceId":"%032x","spanId":"%016x","parentSpanId":"%s","name":"%s","kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d","attributes":[%s]}]}]}]}`,
			service, trace, span, map[bool]string{true: fmt.Sprintf("%016x", parent)}[parent > 0], name, kind, 1_750_000_000_000_000_000+(at+start)*1_000_000, 1_750_000_000_000_000_000+(at+end)*1_000_000, attributes)
	}
	attribute := func(key, value string) string {
		return fmt.Sprintf(`{"key":"%s","value":{"stringValue":"%s"}}`, key, value)
	}
	for k := range 8 {
		at = 100 * k
		id := first + 10*k
		message := attribute("messaging.destination.name", "q")
		fmt.Fprintln(&b, line(id, id+1, 0, "api", "POST /o", 2, 0, 10, attribute("order", strconv.Itoa(k))))
		fmt.Fprintln(&b, line(id, id+2, id+1, "api", "send q", 4, 2, 5, message+","+attribute("messaging.operation.type", "send")))
		if lossless || k >= 2 {
			fmt.Fprintln(&b, line(id, id+3, id+2, "w", "process q", 5, 10, 40, message+","+attribute("messaging.operation.type", "process")+","+attribute("messaging.consumer.group.name", "g")))
		}
	}
	for k := range 7 {
		at = 100*k + 50
		id := first + 500 + 10*k
		fmt.Fprintln(&b, line(id, id+1, 0, "web", "GET /x", 2, 0, 10, attribute("order", fmt.Sprint("x", k))))
		text := line(id, id+2, id+1, "web", "render", 1, 2, 5, "")
		if k == 3 && !lossless {
			text = text[:len(text)-30]
		}
		fmt.Fprintln(&b, text)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// output runs a command that must succeed.
func output(t *testing.T, args ...string) string {
	t.Helper()
	var out, talk bytes.Buffer
	if status := run(t.Context(), args, nil, &out, &talk); status != exitDone {
		t.Fatalf("%v: exit status %d: %s", args, status, talk.String())
	}
	return out.String()
}

// TestCountsAreTheSameEverywhere has a set of two roots with incomplete journeys and a damaged line: every command in every form
// says the same of how many there are.
func TestCountsAreTheSameEverywhere(t *testing.T) {
	base, other := countedSet(t, "base.jsonl", 0x1000, true), countedSet(t, "other.jsonl", 0x2000, false)
	// Of other: orders 6 whole of 3 spans and 2 incomplete, requests 6 whole of 2 spans and 1 incomplete.
	const orders, requests, lostOrders, lostRequests, spans = 6, 6, 2, 1, 6*3 + 6*2
	has := func(what, text string, patterns ...string) {
		t.Helper()
		for _, p := range patterns {
			if !regexp.MustCompile(`(?s)` + p).MatchString(strings.Join(strings.Fields(text), " ")) {
				t.Errorf("%s: no %q in\n%s", what, p, text)
			}
		}
	}
	compared := func(args ...string) string {
		return output(t, append([]string{"compare", base, other, "--pair", "order"}, args...)...)
	}

	type group struct{ Name, Root string }
	var doc struct {
		Groups []struct {
			group
			Journeys, Incomplete, Spans int
			Missing                     []struct{ Journeys int } `json:"left_out"`
		}
		Roots []struct {
			Root   string
			Groups []struct{ Journeys, Incomplete, Spans int }
		}
	}
	if err := json.Unmarshal([]byte(compared("--format", "json")), &doc); err != nil {
		t.Fatal(err)
	}
	if g := doc.Groups[1]; g.Journeys != orders+requests || g.Incomplete != lostOrders+lostRequests || g.Spans != spans || len(g.Missing) != 2 {
		t.Errorf("compare as JSON: %+v", g)
	}
	sum := [3]int{}
	for _, r := range doc.Roots {
		g := r.Groups[1]
		sum[0], sum[1], sum[2] = sum[0]+g.Journeys, sum[1]+g.Incomplete, sum[2]+g.Spans
	}
	if sum != [3]int{orders + requests, lostOrders + lostRequests, spans} {
		t.Errorf("compare as JSON, roots together: %v", sum)
	}
	text := compared()
	has("compare as text", text, `api POST /o 8 6 \(\+ 2 incomplete\)`, `web GET /x 7 6 \(\+ 1 incomplete\)`,
		`other.jsonl (journeys )?6,? (incomplete )?2,? (spans )?18`, `other.jsonl (journeys )?6,? (incomplete )?1,? (spans )?12`, `3 of 15 journeys are incomplete`)
	has("compare as HTML", compared("--format", "html"), `other.jsonl</h2><p>6 journeys, 2 incomplete, 18 spans</p>`, `other.jsonl</h2><p>6 journeys, 1 incomplete, 12 spans</p>`, `3 of 15 journeys are incomplete`)
	has("compare as Markdown", compared("--format", "markdown"), `other.jsonl \| 6 \| 2 \| 18 \|`, `other.jsonl \| 6 \| 1 \| 12 \|`, `3 of 15 journeys are incomplete`)
	var suite struct {
		Properties []struct {
			Name  string `xml:"name,attr"`
			Value string `xml:"value,attr"`
		} `xml:"properties>property"`
	}
	if err := xml.Unmarshal([]byte(compared("--format", "junit", "--fail-on", "completion>5000%")), &suite); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"journeys": orders + requests, "incomplete": lostOrders + lostRequests, "spans": spans} {
		found := false
		for _, p := range suite.Properties {
			found = found || p.Name == other+": "+name && p.Value == strconv.Itoa(want)
		}
		if !found {
			t.Errorf("compare as JUnit: no %s of %d in %v", name, want, suite.Properties)
		}
	}

	has("journey --list", output(t, "journey", other, "--list"), `15 journeys in \S+, 0 failed, 3 incomplete`, `api POST /o 8 2 0 40.0 ms`, `web GET /x 7 1 0 10.0 ms`)
	var list struct {
		Roots    []struct{ Journeys, Incomplete int }
		Journeys []struct {
			Incomplete string
			Spans      int
		}
	}
	if err := json.Unmarshal([]byte(output(t, "journey", other, "--list", "--format", "json")), &list); err != nil {
		t.Fatal(err)
	}
	lost, wholeSpans := 0, 0
	for _, j := range list.Journeys {
		if j.Incomplete != "" {
			lost++
		} else {
			wholeSpans += j.Spans
		}
	}
	if len(list.Journeys) != 15 || lost != 3 || wholeSpans != spans || list.Roots[0].Journeys != 8 || list.Roots[0].Incomplete != 2 || list.Roots[1].Incomplete != 1 {
		t.Errorf("journey --list as JSON: %d journeys, %d incomplete, %d spans of the others; %+v", len(list.Journeys), lost, wholeSpans, list.Roots)
	}
	has("journey", output(t, "journey", other), `of 15 in \S+: the one with the median completion; 3 of them are incomplete`)

	predict := []string{"predict", other, "--call", "w process q", "--call-overhead", "1ms", "--check", base, "--pair", "order"}
	var predicted struct {
		Journeys, Incomplete int
		Roots                []struct {
			Root     string
			Journeys int
		}
	}
	if err := json.Unmarshal([]byte(output(t, append(predict, "--format", "json")...)), &predicted); err != nil {
		t.Fatal(err)
	}
	if predicted.Journeys != orders+requests || predicted.Incomplete != lostOrders+lostRequests || len(predicted.Roots) != 2 || predicted.Roots[0].Journeys+predicted.Roots[1].Journeys != orders+requests {
		t.Errorf("predict as JSON: %+v", predicted)
	}
	has("predict as text", output(t, predict...), `^journeys of \S+ 12 journeys as they would be with other carriers \(3 more are incomplete`, `── api POST /o: 6 journeys ──`, `── web GET /x: 6 journeys ──`)
	has("predict as HTML", output(t, append(predict, "--format", "html")...), `Prediction: 12 journeys by other carriers \(3 more are incomplete`, `api POST /o, 6 journeys`)

	sameFindings(t, other)
}

// sameFindings holds that lint counts the same in text, JSON and SARIF.
func sameFindings(t *testing.T, path string) {
	t.Helper()
	var found struct {
		Findings []struct{ Rule string }
		Counts   struct {
			Error, Warning, Advice int
			Rules                  map[string]int
		}
	}
	if err := json.Unmarshal([]byte(output(t, "lint", path, "--fail-on", "never", "--format", "json")), &found); err != nil {
		t.Fatal(err)
	}
	text := output(t, "lint", path, "--fail-on", "never")
	c := found.Counts
	if c.Error+c.Warning+c.Advice != len(found.Findings) || len(found.Findings) == 0 {
		t.Errorf("%d findings, counts %+v", len(found.Findings), c)
	}
	for rule, n := range c.Rules {
		if n > 0 && !regexp.MustCompile(`(?m)^`+rule+` \w+: `+strconv.Itoa(n)+` ×`).MatchString(text) {
			t.Errorf("text does not count %d × %s", n, rule)
		}
	}
	var sarif struct {
		Runs []struct {
			Results []struct {
				OccurrenceCount int `json:"occurrenceCount"`
			}
		}
	}
	if err := json.Unmarshal([]byte(output(t, "lint", path, "--fail-on", "never", "--format", "sarif")), &sarif); err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, r := range sarif.Runs[0].Results {
		n += r.OccurrenceCount
	}
	if n != len(found.Findings) {
		t.Errorf("SARIF counts %d, of %d findings", n, len(found.Findings))
	}
}
