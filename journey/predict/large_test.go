package predict

import (
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
	"tracelab/journey/internal/raced"
)

// Journeys of 20,000 spans side by side, one within the other, and one after the other replay to what they were, and can be
// turned: nothing recurses, and nothing takes the square of their number.
func TestLargeJourneys(t *testing.T) {
	raced.OneGoroutine(t)
	for name, spans := range draw.Shapes(20_000) {
		for i := range spans { // each is of another service than the one before
			spans[i].Service = [...]string{"a", "b"}[i%2]
			if spans[i].Kind == journey.KindInternal {
				spans[i].Kind = journey.KindServer
			}
		}
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			for _, j := range journey.NewSet(spans).Journeys() {
				s := emptySurvey()
				p := numbering(s, j)
				x := p.replay()
				if wait, ok := x.callerWait(p); ok && wait != p.acts[p.root].end || x.completion() != int64(j.Completion()) {
					t.Errorf("caller wait %d, completion %d, measured %d", wait, x.completion(), j.Completion())
				}
				for _, to := range []Carrier{Message, Call} {
					turn(s, p, to, someCosts())
					p.replay()
				}
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}
