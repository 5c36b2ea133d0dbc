package jaeger

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"tracelab/journey"
	"tracelab/journey/source"
)

// dialect has the names of the parameters of a search. Jaeger 2.19 renamed them.
type dialect struct {
	service, operation, start, end, minDuration, maxDuration, raw, attributes string
	limit                                                                     []string
}

var (
	today = dialect{"query.serviceName", "query.operationName", "query.startTimeMin", "query.startTimeMax", "query.durationMin", "query.durationMax",
		"query.rawTraces", "query.attributes", []string{"query.searchDepth"}}
	before = dialect{"query.service_name", "query.operation_name", "query.start_time_min", "query.start_time_max", "query.duration_min", "query.duration_max",
		"query.raw_traces", "", []string{"query.num_traces", "query.search_depth"}}
)

func (d dialect) values(q source.Query) url.Values {
	v := url.Values{
		d.start: {q.Start.UTC().Format(time.RFC3339Nano)},
		d.end:   {q.End.UTC().Format(time.RFC3339Nano)},
		d.raw:   {"true"},
	}
	for _, name := range d.limit {
		v.Set(name, strconv.Itoa(limitOf(q)))
	}
	for name, value := range map[string]string{d.service: q.Service, d.operation: q.Operation} {
		if value != "" {
			v.Set(name, value)
		}
	}
	for name, value := range map[string]time.Duration{d.minDuration: q.MinDuration, d.maxDuration: q.MaxDuration} {
		if value > 0 {
			v.Set(name, value.String())
		}
	}
	if len(q.Attributes) > 0 && d.attributes != "" {
		text, _ := json.Marshal(q.Attributes) // a map of strings cannot fail
		v.Set(d.attributes, string(text))
	}
	return v
}

func limitOf(q source.Query) int {
	if q.Limit <= 0 {
		return source.DefaultSearchLimit
	}
	return q.Limit
}

func checkQuery(q source.Query, address string) error {
	if q.Start.IsZero() || !q.Start.Before(q.End) {
		return &Error{BadQuery, address, fmt.Errorf("a search needs a time to start and a later one to end, not %v and %v", q.Start, q.End)}
	}
	return nil
}

// matching keeps the traces that match the query: some versions and storages of Jaeger ignore parts of a query. blind means
// that this Jaeger ignores attributes.
func matching(result source.Answer, q source.Query, address string, blind bool) source.Answer {
	traces, matched := make(map[journey.TraceID]bool), 0
	for i := range result.Spans {
		s := &result.Spans[i]
		match := matches(s, q)
		if match && !traces[s.Trace] {
			matched++
		}
		traces[s.Trace] = traces[s.Trace] || match
	}
	kept := result.Spans[:0]
	for _, s := range result.Spans {
		if traces[s.Trace] {
			kept = append(kept, s)
		}
	}
	result.Spans = kept
	if len(traces) >= limitOf(q) {
		text := fmt.Sprintf("%s: the search stopped at its limit of %d traces; there may be more", address, limitOf(q))
		if blind && len(q.Attributes) > 0 {
			text += fmt.Sprintf(" (this Jaeger does not search by attribute: %d of those traces match)", matched)
		}
		result.Warnings = append(result.Warnings, journey.Warning{Rule: journey.RuleSearchCut, Text: text})
	}
	return result
}

// matches reports whether a span meets the conditions of a query, other than the time, which is that of the trace.
func matches(s *journey.Span, q source.Query) bool {
	length := time.Duration(s.End - s.Start)
	switch {
	case q.Service != "" && s.Service != q.Service,
		q.Operation != "" && s.Name != q.Operation,
		q.MinDuration > 0 && length < q.MinDuration,
		q.MaxDuration > 0 && length > q.MaxDuration:
		return false
	}
	for key, want := range q.Attributes {
		if !hasAttribute(s, key, want) {
			return false
		}
	}
	return true
}

func hasAttribute(s *journey.Span, key, want string) bool {
	if v, ok := s.Attr(key); ok && v.String() == want {
		return true
	}
	if s.Resource == nil {
		return false
	}
	for _, a := range s.Resource.Attributes {
		if a.Key == key && a.Value.String() == want {
			return true
		}
	}
	return false
}
