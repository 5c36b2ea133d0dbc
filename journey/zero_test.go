package journey_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
	"tracelab/journey/semconv"
)

// Every exported enumeration has a word for each of its values and for those that it does not have.
func TestEnumerationsOutOfRange(t *testing.T) {
	for _, values := range []func(n uint8) fmt.Stringer{
		func(n uint8) fmt.Stringer { return journey.Kind(n) },
		func(n uint8) fmt.Stringer { return journey.Status(n) },
		func(n uint8) fmt.Stringer { return journey.Class(n) },
		func(n uint8) fmt.Stringer { return journey.ValueKind(n) },
		func(n uint8) fmt.Stringer { return journey.Absence(n) },
		func(n uint8) fmt.Stringer { return compare.NodeKind(n) },
		func(n uint8) fmt.Stringer { return lint.Level(n) },
	} {
		seen := map[string]bool{}
		for n := range 256 {
			text := values(uint8(n)).String()
			if text == "" || seen[text] {
				t.Errorf("%T(%d) is written %q, as another one is", values(0), n, text)
			}
			seen[text] = true
		}
		if text := values(255).String(); !strings.Contains(text, "255") {
			t.Errorf("%T(255) is written %q, without its number", values(0), text)
		}
	}
	if got := semconv.Operation(99).String(); got != "" {
		t.Errorf("an operation that there is not is written %q", got)
	}
	if rank := compare.Change("no such").Rank(); rank <= compare.ChangeSame.Rank() {
		t.Errorf("an unknown change has rank %d, before one that is known", rank)
	}
}

// The methods of zero values, of values of our own types, and of nothing return without a panic.
func TestZeroValues(t *testing.T) {
	for _, v := range []any{
		&journey.Set{}, (*journey.Set)(nil), journey.NewSet(nil), &journey.Journey{}, journey.Segment{}, journey.Value{}, &journey.Span{}, journey.Ref{},
		journey.TraceID{}, journey.SpanID{}, journey.Messaging{},
		&compare.GroupSummary{}, compare.MeasureSummary{}, compare.Difference{}, compare.Change(""), compare.NodeKind(0),
		lint.Result{}, lint.Counts{},
		&journey.Replayer{}, &lint.Pass{}, compare.OneSidedRoot{Incomplete: []int{1}},
	} {
		value := reflect.ValueOf(v)
		for i := range value.NumMethod() {
			method := value.Type().Method(i)
			arguments := make([]reflect.Value, 0, method.Type.NumIn())
			for k := 1; k < method.Type.NumIn(); k++ {
				arguments = append(arguments, reflect.Zero(method.Type.In(k)))
			}
			if method.Name == "UnmarshalJSON" || strings.HasPrefix(method.Name, "Write") {
				continue // they want something to read from or to write to
			}
			func() {
				defer func() {
					if p := recover(); p != nil {
						t.Errorf("%T.%s: %v", v, method.Name, p)
					}
				}()
				for _, result := range value.Method(i).Call(arguments) {
					if result.Kind() == reflect.Func && !result.IsNil() { // an iterator
						result.Call([]reflect.Value{reflect.MakeFunc(result.Type().In(0), func([]reflect.Value) []reflect.Value { return []reflect.Value{reflect.ValueOf(true)} })})
					}
				}
			}()
		}
	}
}

// A journey answers about spans and messages that are not its own.
func TestStrangeIndexes(t *testing.T) {
	if n := (compare.OneSidedRoot{Incomplete: []int{1}}).LeftOut(-1); n != 0 {
		t.Errorf("group -1 has %d journeys that are left out", n)
	}
	set := newSet(t, "S 0-10\n  P PRODUCER 1-5\n    C CONSUMER 3-9")
	j := set.Journeys()[0]
	for _, i := range []journey.Index{-1 << 31, -1, 3, 1<<31 - 1} {
		if set.Span(i).Name != "" || j.Contains(i) || set.SelfTime(i) != 0 || set.Topic(i) != "" || j.MessagePath(journey.Message{Consumer: i}) != nil {
			t.Errorf("index %d stands for something", i)
		}
		for e := range set.Causes(i) {
			t.Errorf("index %d has the cause %v", i, e)
		}
		if p, ok := set.Parent(i); ok || p != -1 {
			t.Errorf("index %d has the parent %d", i, p)
		}
	}
}
