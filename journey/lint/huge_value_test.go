package lint_test

import (
	"math"
	"runtime"
	"testing"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/lint"
)

// A number in an attribute is a number: whatever it is, no memory is set aside for it.
func TestHugeNumbersCostNothing(t *testing.T) {
	for _, n := range []int64{20_000_000, math.MaxInt64, math.MinInt64} {
		spans := drawn(t, flow, func(find func(string) span) {
			for _, name := range []string{"s.send", "c.process", "poll"} {
				for _, key := range []string{"messaging.destination.partition.id", "messaging.kafka.offset", "messaging.batch.message_count", "messaging.message.body.size"} {
					set(find(name), key, journey.IntValue(n))
				}
			}
		})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s := journey.NewSet(spans)
		lint.Check(s)
		compare.Describe(compare.Group{Journeys: s.Journeys()})
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20 {
			t.Errorf("%d in an attribute: %d bytes were allocated", n, grown)
		}
	}
}
