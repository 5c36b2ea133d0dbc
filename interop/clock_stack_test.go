//go:build stack

package interop

import (
	"testing"

	"tracelab/journey"
)

// The SDK for JavaScript takes its starts from a clock of whole milliseconds and its ends from a finer one, so the second of two calls seems to
// begin before the first has ended. Both are on the path of every request.
func TestNodeClock(t *testing.T) {
	const requests = 300
	receiver := startReceiver(t)
	quotes := start(t, "quotes", node(t, "quotes.js"), receiver.url)
	quotes.await(t, "answered")
	quotes.end(t)
	receiver.stop(t)
	set := read(t, receiver.file)
	coarse, fine, overlaps := true, false, 0
	for i := range journey.Index(set.Len()) {
		start, end := set.Times(i)
		coarse, fine = coarse && start%1e6 == 0, fine || end%1e6 != 0
	}
	if !coarse || !fine {
		t.Errorf("all starts are whole milliseconds: %v, some ends are not: %v; want both, or this shows nothing", coarse, fine)
	}
	if n := len(set.Journeys()); n != requests {
		t.Errorf("%d journeys, want %d", n, requests)
	}
	for _, j := range set.Journeys() {
		seen := map[string]int64{}
		for _, s := range j.ResponsePath() {
			_, seen[set.Span(s.Span).Name] = set.Times(s.Span)
		}
		for _, i := range j.Spans() {
			if start, _ := set.Times(i); set.Span(i).Name == "stock" && start < seen["price"] {
				overlaps++
			}
		}
		_, price := seen["price"]
		_, stock := seen["stock"]
		if !price || !stock {
			root, _ := j.Root()
			t.Errorf("on the path of the request at %d are %v, want both calls", set.Span(root).Start, seen)
		}
	}
	t.Logf("in %d of %d requests the second call begins before the first has ended", overlaps, requests)
}
