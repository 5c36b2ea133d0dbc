// Package w3csuite has what the public test suite of W3C Trace Context wants of
// a service: for each of its 41 tests the requests that it sends, and what it
// must find in the requests that the service makes in turn. Tests of several
// packages send them through a chain of hops.
//
// The suite is test/test.py of https://github.com/w3c/trace-context, with
// STRICT_LEVEL and SPEC_LEVEL 2. The table is our own; only the facts are the
// suite's.
package w3csuite

import (
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// Test is one test of the suite.
type Test struct {
	Name     string `json:"test"`
	Requests []Request
	Calls    int // that the service makes for a request; 0 is 1
}

// Request is one request, and what must be in the calls that follow.
type Request struct {
	Headers [][2]string
	Trace   string   // the trace that goes on; "": a new one
	Flags   string   // the flags that must be set, in hex; "": any
	Has     []string // the members that tracestate has, in this order
	Lacks   []string // keys that it must not have
	Members int      // how many members it has; 0: any number
}

//go:embed suite.json
var suite []byte

// Tests returns the tests of the suite.
func Tests() ([]Test, error) {
	var tests []Test
	if err := json.Unmarshal(suite, &tests); err != nil {
		return nil, fmt.Errorf("suite.json: %w", err)
	}
	return tests, nil
}

// Run sends the requests of the test and checks the calls that follow. send
// sends a request with headers to a service that makes n calls for it, and
// returns the headers of each.
func (t Test) Run(send func(headers [][2]string, n int) ([]http.Header, error)) error {
	for _, r := range t.Requests {
		calls, err := send(r.Headers, max(t.Calls, 1))
		if err == nil && len(calls) != max(t.Calls, 1) {
			err = fmt.Errorf("%d calls were made, want %d", len(calls), max(t.Calls, 1))
		}
		if err == nil {
			err = r.check(calls)
		}
		if err != nil {
			return fmt.Errorf("%s: %q: %w", t.Name, r.Headers, err)
		}
	}
	return nil
}

// check checks the headers of the calls that were made for the request.
func (r Request) check(calls []http.Header) error {
	spans := map[string]bool{}
	for _, h := range calls {
		span, err := r.checkParent(h.Values("traceparent"))
		if err != nil {
			return err
		}
		if spans[span] {
			return fmt.Errorf("two calls have the parent %s", span)
		}
		spans[span] = true
		if err := r.checkState(strings.Join(h.Values("tracestate"), ",")); err != nil {
			return err
		}
	}
	return nil
}

// checkParent checks the traceparent of a call and returns its span.
func (r Request) checkParent(values []string) (span string, err error) {
	if len(values) != 1 {
		return "", fmt.Errorf("traceparent %q, want one", values)
	}
	parts := strings.Split(values[0], "-")
	if len(parts) != 4 || len(parts[1]) != 32 || len(parts[2]) != 16 || len(parts[3]) != 2 {
		return "", fmt.Errorf("traceparent %q, want version-trace-span-flags", values[0])
	}
	trace, span := parts[1], parts[2]
	var came string
	for _, h := range r.Headers {
		came += h[1] + " "
	}
	switch {
	case r.Trace != "" && trace != r.Trace:
		return "", fmt.Errorf("trace %s, want %s to go on", trace, r.Trace)
	case r.Trace == "" && strings.Contains(came, trace):
		return "", fmt.Errorf("trace %s goes on, want a new one", trace)
	case strings.Contains(came, "-"+span+"-"):
		return "", fmt.Errorf("span %s goes on, want a new one", span)
	}
	want, err := hex.DecodeString(r.Flags)
	if err != nil {
		return "", fmt.Errorf("flags %q: %w", r.Flags, err)
	}
	flags, err := hex.DecodeString(parts[3])
	if err != nil || len(want) > 0 && flags[0]&want[0] != want[0] {
		return "", fmt.Errorf("flags %s, want %s set", parts[3], r.Flags)
	}
	return span, nil
}

// checkState checks the tracestate of a call.
func (r Request) checkState(state string) error {
	var members []string
	if state != "" {
		members = strings.Split(state, ",")
	}
	if r.Members != 0 && len(members) != r.Members {
		return fmt.Errorf("%d members in tracestate, want %d", len(members), r.Members)
	}
	from := 0
	for _, want := range r.Has {
		i := slices.Index(members[from:], want)
		if i < 0 {
			return fmt.Errorf("tracestate %q, want %q in this order", state, r.Has)
		}
		from += i + 1
	}
	for _, m := range members {
		if key, _, _ := strings.Cut(m, "="); slices.Contains(r.Lacks, key) {
			return fmt.Errorf("tracestate %q, want it without %q", state, key)
		}
	}
	return nil
}
