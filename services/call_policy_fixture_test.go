package services

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel/attribute"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/services/internal/orderpb"

	"context"
	"net/http"
	"slices"
)

// attr is an attribute of a span as a text; "" without it.
func attr(span sdktrace.ReadOnlySpan, key string) string {
	value, ok := attributes(span)[attribute.Key(key)]
	if !ok {
		return ""
	}
	return value.String()
}

// jsonOf reads the body of an answer.
func jsonOf(a answer, to any) error { return json.Unmarshal(a.body, to) }

// replaceOnce replaces a part of a text that is there once.
func replaceOnce(t *testing.T, text, old, by string) string {
	t.Helper()
	if strings.Count(text, old) != 1 {
		t.Fatalf("%q is there %d times", old, strings.Count(text, old))
	}
	return strings.Replace(text, old, by, 1)
}

// openedAt is when the first span of a name began, which has ended.
func (l *testLab) openedAt(name string) time.Time {
	l.Helper()
	spans := l.spansNamed(name)
	if len(spans) == 0 {
		l.Fatalf("no span %s has ended", name)
	}
	return spans[0].StartTime()
}

// number0 is a number, 0 for anything else.
func number0(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		return 0
	}
	return n
}

// orderOf is an order with an id and no body.
func orderOf(id string) *orderpb.Order { return &orderpb.Order{Id: id} }

// shop is a flow of three services one behind the other; fields are those of the second one's step.
func shop(fields string) string {
	return `flow: shop
body: {name: text 1..10}
reasons: {sold_out: 409}
steps:
  desk.Take: {wait: 1ms, spread: 0}
  store.Fetch: {after: desk.Take, message: shop.taken, wait: 20ms, spread: 0` + fields + `}
  truck.Load: {after: store.Fetch, message: shop.fetched, wait: 5ms, spread: 0}
forms:
  rest: {each: http}
  grpc: {each: grpc}
  nested: {each: grpc, plan: callee}
  kafka: {each: kafka, desk.Take: grpc}
`
}

const fetch Step = "store.Fetch"

var parcelOf = Placement{"name": "ada"}

// policyOfDesk is how the running desk calls the store.
func (l *testLab) policyOfDesk() *callPolicy {
	l.Helper()
	for _, n := range l.system.nodes {
		if n.name == "desk" && n.policies[fetch] != nil {
			return n.policies[fetch]
		}
	}
	l.Fatalf("desk calls %s without a policy", fetch)
	return nil
}

// spansNamed lists the ended spans of a name, by their start.
func (l *testLab) spansNamed(name string) []sdktrace.ReadOnlySpan {
	var list []sdktrace.ReadOnlySpan
	for _, s := range l.ended() {
		if s.Name() == name {
			list = append(list, s)
		}
	}
	slices.SortFunc(list, func(a, b sdktrace.ReadOnlySpan) int { return a.StartTime().Compare(b.StartTime()) })
	return list
}

// countsOf are the counts of a step's calls in a form of the run r, as the gateway tells them.
func (l *testLab) countsOf(form Form, step Step) CallCounts {
	l.Helper()
	var report CallReport
	l.must(jsonOf(l.send(context.Background(), http.MethodGet, "/runs/r/calls", "", nil), &report))
	if len(report.Silent) > 0 {
		l.Errorf("silent: %v", report.Silent)
	}
	return report.Forms[form][step]
}
