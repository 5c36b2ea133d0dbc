package flows_test

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"tracelab/services/flows"
)

// manySteps is a flow of 40 steps that goes deep, and says something of many of them.
func manySteps() string {
	var b strings.Builder
	b.WriteString("flow: warehouse\nunit: parcel\nsteps:\n  dock.Receive: {wait: 1ms}\n")
	before := "dock.Receive"
	for n := 1; n <= 13; n++ {
		fmt.Fprintf(&b, "  station-%02d.Inspect: {after: %s, message: parcel.arrived-%[1]d, wait: %[1]dms, retry: 3 within 2s, backoff 50ms, timeout: 1s}\n", n, before)
		fmt.Fprintf(&b, "  station-%02d.Record: {after: station-%02[1]d.Inspect, message: parcel.inspected-%[1]d, wait: 2ms}\n", n)
		fmt.Fprintf(&b, "  robot-%02d.Move: {after: station-%02[1]d.Inspect, message: parcel.inspected-%[1]d, wait: 3ms}\n", n)
		before = fmt.Sprintf("robot-%02d.Move", n)
	}
	b.WriteString("forms:\n  grpc: {each: grpc}\n  kafka: {each: kafka, dock.Receive: grpc}\n")
	return b.String()
}

// TestAPictureFitsTheTerminal: nothing that a flow says is cut off, on a narrow terminal and on a wide one, which it uses.
func TestAPictureFitsTheTerminal(t *testing.T) {
	f, err := flows.Parse("warehouse.yaml", []byte(manySteps()))
	if err != nil {
		t.Fatal(err)
	}
	lines := map[int]int{}
	for _, width := range []int{80, 200} {
		var b strings.Builder
		if err := f.WriteText(&b, width); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			lines[width]++
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > width || strings.Contains(line, "…") {
				t.Errorf("%d columns of %d, or cut off: %s", n, width, line)
			}
		}
		words := strings.Join(strings.Fields(b.String()), " ")
		for _, row := range f.Rows[1:] {
			if !strings.Contains(b.String(), string(row.Step)) || !strings.Contains(b.String(), row.Message) {
				t.Errorf("at %d columns there is no %s or no %s", width, row.Step, row.Message)
			}
		}
		if n := strings.Count(words, "retry 3 within 2s"); n != 13 {
			t.Errorf("at %d columns %d steps say that they are tried again", width, n)
		}
	}
	if lines[200] >= lines[80] {
		t.Errorf("%v lines by width: the wide terminal is not used", lines)
	}
}
