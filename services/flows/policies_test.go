package flows

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPoliciesAreRead: in braces and without, where YAML takes a comma for the end of a value.
func TestPoliciesAreRead(t *testing.T) {
	text := strings.Replace(small, "wait: 2ms, cpu: 5}", `wait: 2ms, cpu: 5, timeout: 1s, budget: 10%, breaker: 50% of 20, 1s, bulkhead: 4, workers: 8, queue: 32, payload: 4KiB, undo: {scale.Clear: {wait: 3ms}}}`, 1)
	f, err := Parse("parcel.yaml", []byte(strings.Replace(text, "flow: parcel", "flow: parcel\ntimeout: 10s", 1)))
	if err != nil {
		t.Fatal(err)
	}
	want := Policies{Timeout: time.Second, Budget: 0.1, Breaker: &Breaker{Share: 0.5, Of: 20, Open: time.Second}, Bulkhead: 4, Workers: 8, Queue: 32,
		Payload: 4096, Undo: &Undo{Step: "scale.Clear", Cost: Cost{Wait: 3 * time.Millisecond, Spread: DefaultSpread}}}
	row, _ := f.Row("scale.Weigh")
	if diff := cmp.Diff(want, row.Policies); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	work, ok := f.Work("scale.Clear")
	if f.Timeout != 10*time.Second || f.Limits("scale") != (Limits{8, 32}) || !f.HasDeadlines() || !ok || work.Cost.Wait != 3*time.Millisecond {
		t.Errorf("timeout %v, limits %+v, deadlines %v, work %+v", f.Timeout, f.Limits("scale"), f.HasDeadlines(), work)
	}
	if want := "timeout 1s, budget 10%, breaker 50% of 20, 1s, bulkhead 4, workers 8, queue 32, payload 4KiB, undo scale.Clear"; strings.Join(row.policies(), ", ") != want {
		t.Errorf("it is shown as %q, want %q", row.policies(), want)
	}
	if row.Breaker.Failures() != 10 || (Breaker{Share: 0.001, Of: 3}).Failures() != 1 || (Breaker{Share: 0.34, Of: 3}).Failures() != 2 {
		t.Error("a breaker opens after another number of failures")
	}
	none, _ := f.Row("truck.Load")
	if diff := cmp.Diff(Policies{}, none.Policies); diff != "" {
		t.Errorf("off by default (-want +got):\n%s", diff)
	}
}

// TestWrongPoliciesAreRefused, each with its place and the way out.
func TestWrongPoliciesAreRefused(t *testing.T) {
	for _, c := range []struct {
		fields string // put in the place of cpu: 5
		at     string
		words  []string
	}{
		{"timeout: 0s", "6:78", []string{"no call begin"}},
		{"timeout: 1h", "6:78", []string{"10m0s"}},
		{"timeout: 5", "6:78", []string{"say the unit"}},
		{"budget: 0.1", "6:77", []string{"10%", "none"}},
		{"budget: 100%", "6:77", []string{"none for no budget"}},
		{"breaker: half", "6:78", []string{"50% of 20, 1s"}},
		{"breaker: 50% of 0, 1s", "6:78", []string{"1 to 10000 calls"}},
		{"breaker: 150% of 20, 1s", "6:78", []string{"up to 100%"}},
		{"breaker: 50% of 20, soon", "6:78", []string{"how long it stays open"}},
		{"bulkhead: 0", "6:79", []string{"calls from 1 to 10000"}},
		{"workers: many", "6:78", []string{"workers from 1 to 10000"}},
		{"queue: 1e9", "6:76", []string{"places from 1"}},
		{"payload: 4", "6:78", []string{"size with its unit", "4KiB"}},
		{"payload: 0KiB", "6:78", []string{"size with its unit"}},
		{"payload: 64KiB", "6:78", []string{"up to 48 KiB", "put it in a store"}},
		{"payload: 9999999999999MiB", "6:78", []string{"up to 48 KiB"}},
		{"undo: truck.Clear", "6:75", []string{"cannot take back", "scale.Clear"}},
		{"undo: scale.Clear {wait: 3ms}", "", []string{"no YAML", "write undo: {scale.Clear: {wait: 3ms}}"}},
		{"undo: scale", "6:75", []string{"{scale.Undo: {wait: 3ms}}"}},
		{"undo: scale.Weigh", "6:75", []string{"name of its own"}},
		{"undo: {scale.Clear: {wiat: 3ms}}", "6:90", []string{`"wait"`}},
		{"undo: {scale.Clear: {wait: 3ms}, scale.Other: {wait: 3ms}}", "", []string{"the one step"}},
		{"bulkhaed: 4", "6:69", []string{`did you mean "bulkhead"`}},
	} {
		checkWrong(t, strings.Replace(small, "cpu: 5", c.fields, 1), c.at, c.words)
	}
	for _, c := range []struct {
		change [2]string
		words  []string
	}{
		{[2]string{"wait: 1ms", "wait: 1ms, undo: desk.Return"}, []string{"the entry is not taken back"}},
		{[2]string{"scale.Weigh: {", "scale.Check: {after: desk.Take, message: parcel.checked, workers: 3}\n  scale.Weigh: {workers: 4, "}, []string{"say them once"}},
		{[2]string{"scale.Weigh: {", "scale.Check: {after: desk.Take, message: parcel.taken, payload: 1KiB}\n  scale.Weigh: {"}, []string{"the same payload"}},
		{[2]string{"scale.Weigh: {", "scale.Check: {after: desk.Take, message: parcel.checked, undo: scale.Clear}\n  scale.Weigh: {undo: scale.Clear, "}, []string{"an undo of its own"}},
		{[2]string{"scale.Weigh: {", "scale.Weigh: {undo: scale.WEIGH, "}, []string{"same path in HTTP"}},
		{[2]string{"flow: parcel", "flow: parcel\ntimeout: 0s"}, []string{"over 0"}},
	} {
		checkWrong(t, strings.Replace(small, c.change[0], c.change[1], 1), "", c.words)
	}
}

// checkWrong reads a flow that is wrong at line:column, "" for anywhere.
func checkWrong(t *testing.T, text, at string, words []string) {
	t.Helper()
	_, err := Parse("parcel.yaml", []byte(text))
	if err == nil {
		t.Errorf("it is read:\n%s", text)
		return
	}
	if !strings.HasPrefix(err.Error(), "parcel.yaml:"+at) {
		t.Errorf("%v: want it at %s", err, at)
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%v: want %q in it", err, word)
		}
	}
}
