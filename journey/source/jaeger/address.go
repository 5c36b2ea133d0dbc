package jaeger

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"tracelab/journey"
	"tracelab/journey/source"
)

// DefaultBase is where a Jaeger on this machine answers.
const DefaultBase = "http://127.0.0.1:16686"

// Address is something in a Jaeger: traces, or a search for some.
type Address struct {
	Base       string            // of the query service, empty when the text does not say
	Traces     []journey.TraceID // those named, in order
	Comparison bool              // the traces are two sides of a comparison
	Search     *source.Query     // of a search, else nil
}

// ErrNoAddress is in the errors of ParseAddress for text that is not an address in a Jaeger: it may be the name of a file.
var ErrNoAddress = errors.New("no address in a Jaeger")

// ParseAddress reads
//
//	jaeger:TRACEID                                      a trace, in a Jaeger that the caller chooses
//	http://HOST/BASE/trace/TRACEID                      the page of a trace in the Jaeger UI
//	http://HOST/BASE/trace/TRACEID...TRACEID            a comparison
//	http://HOST/BASE/search?service=…&start=…&end=…     a search
//	http://HOST/BASE/search?traceID=…&traceID=…         a search for traces by their ids
//	http://HOST/BASE/api/traces/TRACEID, …/api/v3/traces/TRACEID
//
// A search without times of its own looks back from now.
func ParseAddress(text string, now time.Time) (Address, error) {
	if id, ok := strings.CutPrefix(text, "jaeger:"); ok {
		trace, err := parseTraceID(id)
		if err != nil {
			return Address{}, fmt.Errorf("%s: %w", text, err)
		}
		return Address{Traces: []journey.TraceID{trace}}, nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Address{}, fmt.Errorf("%q: %w: want jaeger:TRACEID, or the URL of a trace, a comparison or a search", text, ErrNoAddress)
	}
	a, err := parsePage(u, now)
	if err != nil {
		return Address{}, fmt.Errorf("%s: %w", text, err)
	}
	return a, nil
}

func parsePage(u *url.URL, now time.Time) (Address, error) {
	path := strings.TrimRight(u.Path, "/")
	if before, ok := strings.CutSuffix(path, "/search"); ok {
		return parseSearch(u, before, now)
	}
	for _, page := range []string{"/api/v3/traces/", "/api/traces/", "/trace/"} {
		if i := strings.LastIndex(path, page); i >= 0 {
			a := Address{Base: base(u, path[:i])}
			var err error
			a.Traces, a.Comparison, err = parseTraces(path[i+len(page):])
			return a, err
		}
	}
	return Address{}, fmt.Errorf("%w: its path ends neither in /trace/TRACEID nor in /search", ErrNoAddress)
}

// base returns the URL of the query service: user and password stay with it.
func base(u *url.URL, path string) string {
	return (&url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, Path: path}).String()
}

// parseTraces reads an id, or two with "..." between them.
func parseTraces(text string) (traces []journey.TraceID, comparison bool, err error) {
	a, b, comparison := strings.Cut(text, "...")
	sides := []string{a, b}
	if !comparison {
		sides = sides[:1]
	}
	for _, side := range sides {
		id, err := parseTraceID(side)
		if err != nil && comparison {
			return nil, true, fmt.Errorf("a comparison of two traces: %w", err)
		}
		if err != nil {
			return nil, false, err
		}
		traces = append(traces, id)
	}
	return traces, comparison, nil
}

// parseTraceID accepts ids without leading zeros, as Jaeger shows them.
func parseTraceID(text string) (journey.TraceID, error) {
	const digits = 32
	id, err := journey.ParseTraceID(strings.Repeat("0", max(0, digits-len(text))) + text)
	if text == "" || err != nil {
		return journey.TraceID{}, fmt.Errorf("trace id %.40q: want up to 32 hexadecimal digits", text)
	}
	return id, nil
}

// parseSearch reads the form of the search page, whose times are microseconds since the Unix epoch.
func parseSearch(u *url.URL, path string, now time.Time) (Address, error) {
	a, v := Address{Base: base(u, path)}, u.Query()
	for _, text := range v["traceID"] {
		id, err := parseTraceID(text)
		if err != nil {
			return a, err
		}
		a.Traces = append(a.Traces, id)
	}
	if len(a.Traces) > 0 {
		return a, nil
	}
	q := source.Query{Service: v.Get("service"), Operation: v.Get("operation")}
	if q.Operation == "all" {
		q.Operation = ""
	}
	var errs [5]error
	q.Start, q.End, errs[0] = period(v, now)
	q.MinDuration, errs[1] = duration(v, "minDuration")
	q.MaxDuration, errs[2] = duration(v, "maxDuration")
	q.Attributes, errs[3] = tags(v)
	if limit := v.Get("limit"); limit != "" {
		q.Limit, errs[4] = strconv.Atoi(limit)
	}
	a.Search = &q
	return a, errors.Join(errs[:]...)
}

// period reads start and end, and what is missing of them from lookback: a number of minutes, hours, days or weeks.
func period(v url.Values, now time.Time) (start, end time.Time, err error) {
	end = now
	if text := v.Get("end"); text != "" {
		if end, err = micros(text); err != nil {
			return start, end, fmt.Errorf("end: %w", err)
		}
	}
	if text := v.Get("start"); text != "" {
		if start, err = micros(text); err != nil {
			return start, end, fmt.Errorf("start: %w", err)
		}
		return start, end, nil
	}
	back, err := lookback(v.Get("lookback"))
	return end.Add(-back), end, err
}

func micros(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMicro(n), err
}

func lookback(text string) (time.Duration, error) {
	if text == "" || text == "custom" {
		return time.Hour, nil
	}
	unit, known := map[byte]time.Duration{'m': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}[text[len(text)-1]]
	n, err := strconv.ParseUint(text[:len(text)-1], 10, 16)
	if !known || err != nil {
		return 0, fmt.Errorf("lookback %q: want a number with m, h, d or w", text)
	}
	return time.Duration(n) * unit, nil
}

func duration(v url.Values, name string) (time.Duration, error) {
	if v.Get(name) == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(v.Get(name))
	if err != nil {
		return 0, fmt.Errorf("%s: %w", name, err)
	}
	return d, nil
}

// tags reads both forms that search pages have: a JSON object, and KEY:VALUE.
func tags(v url.Values) (map[string]string, error) {
	var all map[string]string
	for _, text := range v["tags"] {
		if err := json.Unmarshal([]byte(text), &all); err != nil {
			return nil, fmt.Errorf("tags %.60q: want a JSON object of strings: %w", text, err)
		}
	}
	for _, text := range v["tag"] {
		key, value, ok := strings.Cut(text, ":")
		if !ok {
			return nil, fmt.Errorf("tag %.60q: want KEY:VALUE", text)
		}
		if all == nil {
			all = make(map[string]string)
		}
		all[key] = value
	}
	return all, nil
}
