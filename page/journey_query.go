package page

import (
	"encoding/hex"
	"net/url"
	"slices"
	"strings"

	"tracelab/journey"
)

// The parts of a journey's page, as its URL names them.
const (
	tabSpans      = ""
	tabHeaders    = "headers"
	tabFindings   = "findings"
	tabPrediction = "prediction"
)

// maxTwins is how many twins are drawn beside a journey.
const maxTwins = 3

// withNone in a URL asks for no twin.
const withNone = "none"

// journeyQuery is what the URL of a journey's page asks for.
type journeyQuery struct {
	Span journey.SpanID // the chosen span; zero: none
	With []string       // forms of the twins that are drawn, too
	Said bool           // With is as the URL has it, and not the page's choice
	Tab  string
	All  bool // fold less
}

// readJourneyQuery reads a URL. What it does not know, it ignores: an address may come from an older page.
func readJourneyQuery(v url.Values) journeyQuery {
	q := journeyQuery{All: v.Get("rows") == "all"}
	if id, err := hex.DecodeString(v.Get("span")); err == nil && len(id) == len(q.Span) {
		copy(q.Span[:], id)
	}
	if tab := v.Get("tab"); slices.Contains([]string{tabHeaders, tabFindings, tabPrediction}, tab) {
		q.Tab = tab
	}
	for _, list := range v["with"] {
		q.Said = true
		for form := range strings.SplitSeq(list, ",") {
			if form != "" && form != withNone && len(q.With) < maxTwins && !slices.Contains(q.With, form) {
				q.With = append(q.With, form)
			}
		}
	}
	return q
}

// address is the part of the URL behind the path; "?" when nothing is asked for.
func (q journeyQuery) address() string {
	v := url.Values{}
	if q.Said {
		v.Set("with", withNone)
		if len(q.With) > 0 {
			v.Set("with", strings.Join(q.With, ","))
		}
	}
	if q.Tab != "" {
		v.Set("tab", q.Tab)
	}
	if q.All {
		v.Set("rows", "all")
	}
	if !q.Span.IsZero() {
		v.Set("span", q.Span.String())
	}
	return "?" + v.Encode()
}

func (q journeyQuery) withSpan(id journey.SpanID) string {
	q.Span = id
	return q.address()
}

func (q journeyQuery) withTab(tab string) string {
	q.Tab = tab
	return q.address()
}

func (q journeyQuery) withAllRows() string {
	q.All = true
	return q.address()
}

// toggled is the address with a twin more, or less.
func (q journeyQuery) toggled(form string) string {
	q.Said = true
	if i := slices.Index(q.With, form); i >= 0 {
		q.With = slices.Delete(slices.Clone(q.With), i, i+1)
	} else {
		q.With = append(slices.Clone(q.With), form)
	}
	return q.address()
}
