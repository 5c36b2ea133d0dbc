package compare

import (
	"math"
	"slices"
	"strings"
	"time"

	"tracelab/journey"
)

// Measure is a figure that a journey may have.
type Measure struct {
	// Name is the measure's name in JSON. When it ends in _ms, values are milliseconds and are written as durations, else as
	// numbers. It must be unique in a comparison, and must not be name, journeys, incomplete, incomplete_taken, left_out,
	// no_interval, doubt, spans or structures.
	Name string
	// Of returns the figure of a journey, and false for a journey that has none. NaN and infinities count as none.
	Of func(*journey.Journey) (float64, bool)
	// Lacking says why a group may have no figure, such as "has no messages". With it, a text report says which groups have
	// the measure and which lack it.
	Lacking string
}

// Names of the measures of this package. Their values are milliseconds.
const (
	CallerWait = "caller_wait_ms"
	Completion = "completion_ms"
	Tail       = "tail_ms"
	QueueWait  = "queue_wait_ms"
)

// Measures returns the measures by which groups are compared unless others are given: how long the caller waited, when the
// work was complete, how much of that came after the answer, and the mean time that messages waited in queues. The first
// and the third need a root, the last a message.
func Measures() []Measure {
	return []Measure{
		{CallerWait, func(j *journey.Journey) (float64, bool) { d, ok := j.CallerWait(); return milliseconds(d), ok }, "has no journey with a root"},
		{Completion, func(j *journey.Journey) (float64, bool) { return milliseconds(j.Completion()), j.Len() > 0 }, ""},
		{Tail, func(j *journey.Journey) (float64, bool) { d, ok := j.Tail(); return milliseconds(d), ok }, ""},
		{QueueWait, meanQueueWait, "has no messages"},
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / 1e6 }

func meanQueueWait(j *journey.Journey) (float64, bool) {
	messages := j.Messages()
	var sum float64
	for _, m := range messages {
		sum += milliseconds(m.Wait)
	}
	return sum / float64(max(1, len(messages))), len(messages) > 0
}

// MeasureWords writes a measure's name in words: caller wait.
func MeasureWords(name string) string {
	return strings.ReplaceAll(strings.TrimSuffix(name, "_ms"), "_", " ")
}

// figure returns the measure's figure of a journey.
func (m Measure) figure(j *journey.Journey) (float64, bool) {
	if m.Of == nil {
		return 0, false
	}
	v, ok := m.Of(j)
	return v, ok && !math.IsNaN(v) && !math.IsInf(v, 0)
}

// valuesOf returns the figures of the journeys of a group, without those that have none.
func valuesOf(m Measure, g Group) Figures {
	f := Figures{NoInterval: g.noInterval}
	all := g.figures(m)
	if g.weights == nil {
		f.Values = slices.DeleteFunc(all, math.IsNaN)
		return f
	}
	for i, v := range all {
		if !math.IsNaN(v) {
			f.add(v, g.weights, int32(i))
		}
	}
	return f
}
