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
