package lab

import (
	"testing"

	"tracelab/services/flows"
)

// TestWhatAnotherStreamLeftOut: a stream that was just stopped may still leave a unit out, which is not one of the stream that came after it.
func TestWhatAnotherStreamLeftOut(t *testing.T) {
	l := &Live{config: Config{Flow: flows.Order()}, changes: newChanges(), env: &environment{}}
	_, first := l.streaming.now()
	l.streaming.skip(first)
	if text := l.streaming.skippedText(unitOf(l.config.Flow)); text == "" {
		t.Error("a unit that is left out is not counted")
	}
	if err := l.SetStream(Stream{}); err != nil {
		t.Fatal(err)
	}
	l.streaming.skip(first)
	l.streaming.now()
	l.streaming.skip(first)
	if text := l.streaming.skippedText(unitOf(l.config.Flow)); text != "" {
		t.Errorf("no stream runs, and %s", text)
	}
}
