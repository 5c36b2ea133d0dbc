package report_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/format"
	"tracelab/journey/lint"
	"tracelab/journey/report"
)

// 100,000 links to spans that are not there are one warning with its count, in text and on a page.
func TestManyWarningsAreOne(t *testing.T) {
	const n = 100_000
	root := journey.Span{Trace: journey.TraceID{1}, ID: journey.SpanID{1}, Kind: journey.KindServer, Service: "shop", Name: "POST /orders", End: 1e9}
	for i := range n {
		var id journey.SpanID
		binary.BigEndian.PutUint64(id[:], uint64(i)+10)
		root.Links = append(root.Links, journey.Link{Ref: journey.Ref{Trace: journey.TraceID{2}, Span: id}})
	}
	set := journey.NewSet([]journey.Span{root})
	j := set.Journeys()[0]
	collapsed := report.CollapseWarnings(set.Warnings())
	if len(collapsed) != 1 || collapsed[0].More != n-1 || !strings.HasSuffix(collapsed[0].Text, "; and 99999 more warnings of this kind") {
		t.Errorf("%d warnings: %+v", len(collapsed), collapsed[0])
	}
	_, page := page(t, report.Journey{Of: j}.WriteHTML)
	var found bytes.Buffer
	if err := lint.Check(set, lint.WithRules(ruleP04(t)...)).WriteText(&found, format.Style{}, 0); err != nil {
		t.Fatal(err)
	}
	var doc bytes.Buffer
	if err := (report.Journey{Of: j}).WriteJSON(&doc); err != nil {
		t.Fatal(err)
	}
	for what, got := range map[string]string{"JSON": doc.String(), "text": text(t, 80, report.Journey{Of: j}.WriteText), "page": page, "lint": found.String()} {
		if k := strings.Count(got, "missing"); k > 10 || len(got) > 100_000 {
			t.Errorf("%s names %d links in %d bytes", what, k, len(got))
		}
		if !strings.Contains(strings.Join(strings.Fields(got), " "), "99999 more warnings") && !strings.Contains(got, "has 100000 of 100000 links") {
			t.Errorf("%s has no count:\n%.2000s", what, got)
		}
	}
}

func ruleP04(t *testing.T) []lint.Rule {
	t.Helper()
	rules, err := lint.Only(lint.Rules(), journey.RuleLinkTarget)
	if err != nil {
		t.Fatal(err)
	}
	return rules
}
