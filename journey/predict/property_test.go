package predict

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

// numbering numbers hops without a survey: each callee's span name is a kind of its own.
func numbering(s *survey, j *journey.Journey) *plan { return newPlan(j, s.kind(j)) }

// turn turns all hops of a plan to one carrier.
func turn(s *survey, p *plan, to Carrier, costs Constants) {
	t := turner{plan: p, costs: costs, used: new(usedConstants), waiting: make(map[int32]int),
		wanted: func(int32) Carrier { return to }, returned: s.returned, turned: func(int32, Carrier) {}}
	t.run()
}

func emptySurvey() *survey { return newSurvey(nil) }

// same checks that every span of a plan happens when it did.
func same(t *rapid.T, p *plan) {
	x := p.replay()
	for at := range p.acts {
		a := &p.acts[at]
		if !x.alive[at] || x.start[at] != a.start || x.end[at] != a.end {
			t.Fatalf("%s: replayed [%d,%d], measured [%d,%d], alive: %v", nameOf(p, at), x.start[at], x.end[at], a.start, a.end, x.alive[at])
		}
	}
	if got, want := x.completion(), int64(p.journey.Completion()); got != want {
		t.Fatalf("completion %d, measured %d", got, want)
	}
	wait, rooted := p.journey.CallerWait()
	if got, ok := x.callerWait(p); ok != rooted || got != int64(wait) {
		t.Fatalf("caller wait %d, measured %d", got, wait)
	}
}

func nameOf(p *plan, at int) string {
	if p.acts[at].span == none {
		return "added"
	}
	return p.journey.Set().Span(p.acts[at].span).Name
}

func TestNoHopTurnedIsTheMeasuredJourney(t *testing.T) {
	t.Run("any spans", rapid.MakeCheck(func(t *rapid.T) {
		spans := draw.Any(func(what string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, what) })
		for _, j := range journey.NewSet(spans).Journeys() {
			same(t, numbering(emptySurvey(), j))
		}
	}))
	t.Run("flows", rapid.MakeCheck(func(t *rapid.T) {
		for _, j := range journey.NewSet(anyFlow(t, 1000)).Journeys() {
			same(t, numbering(emptySurvey(), j))
		}
	}))
}

// Turning every hop of anything ends, and leaves a plan that replays.
func TestAnySpansCanBeTurned(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spans := draw.Any(func(what string, low, high int64) int64 { return rapid.Int64Range(low, high).Draw(t, what) })
		costs := someCosts()
		for _, j := range journey.NewSet(spans).Journeys() {
			s := emptySurvey()
			p := numbering(s, j)
			for _, to := range []Carrier{rapid.SampledFrom([]Carrier{Call, Message}).Draw(t, "first"), Message, Call} {
				turn(s, p, to, costs)
				x := p.replay()
				for at := range p.acts {
					if x.alive[at] && (x.end[at] < never/2 || x.start[at] < never/2) {
						t.Fatalf("%s has no time: [%d,%d]", nameOf(p, at), x.start[at], x.end[at])
					}
				}
			}
		}
	})
}

func someCosts() Constants {
	return Constants{
		Publish:  Constant{Value: time.Millisecond},
		Delivery: Constant{Value: 5 * time.Millisecond},
		Call:     Constant{Value: 400 * time.Microsecond},
	}
}

// Messages that cost nothing, in the place of calls that cost nothing, move nothing: every piece of work begins when it did.
func TestFreeMessagesMoveNoWork(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, j := range journey.NewSet(anyFlow(t, 0)).Journeys() {
			s := emptySurvey()
			p := numbering(s, j)
			spans := len(p.acts)
			turn(s, p, Message, Constants{})
			x := p.replay()
			for at := range spans {
				if span := j.Set().Span(p.acts[at].span); !x.alive[at] || x.start[at] != p.acts[at].start || span.Kind == journey.KindInternal && x.end[at] != p.acts[at].end {

					t.Fatalf("%s: replayed [%d,%d], measured [%d,%d], alive: %v", span.Name, x.start[at], x.end[at], p.acts[at].start, p.acts[at].end, x.alive[at])
				}
			}
			if wait, _ := x.callerWait(p); wait > x.completion() {
				t.Fatalf("caller wait %d, completion %d", wait, x.completion())
			}
		}
	})
}

// From calls to messages and back: what messages cost is gone. Where calls cost something the branches of a join may differ
// by half of what one costs, for each call.
func TestThereAndBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		overhead := rapid.SampledFrom([]int64{0, 400}).Draw(t, "overhead")
		spans := anyFlow(t, overhead)
		costs := someCosts()
		costs.Call.Value = time.Duration(overhead)
		for _, j := range journey.NewSet(spans).Journeys() {
			s := emptySurvey()
			p := numbering(s, j)
			hops := int64(0)
			for _, a := range p.acts {
				if a.hop != none {
					hops++
				}
			}
			turn(s, p, Message, costs)
			turn(s, p, Call, costs)
			x := p.replay()
			wait, _ := x.callerWait(p)
			was, _ := j.CallerWait()
			if slack := hops * overhead; abs(wait-int64(was)) > slack || abs(x.completion()-int64(j.Completion())) > slack {

				t.Fatalf("caller wait %d, completion %d; measured %d, %d; slack %d", wait, x.completion(), was, j.Completion(), slack)
			}
		}
	})
}

func abs(n int64) int64 { return max(n, -n) }

// flow builds the spans of one order by calls: entries do steps of their own and call other services, one group of things
// after the other, those of a group side by side.
type flow struct {
	t        *rapid.T
	spans    []journey.Span
	overhead int64 // of a call
	services int
}

// anyFlow draws a flow whose calls take so many nanoseconds on top of their servers.
func anyFlow(t *rapid.T, overhead int64) []journey.Span {
	f := &flow{t: t, overhead: overhead}
	root := f.add(-1, "client", "order", journey.KindClient, 0)
	f.spans[root].End = f.entry(root, 0, rapid.IntRange(1, 3).Draw(t, "depth"))
	return f.spans
}

func (f *flow) draw(what string) int64 { return rapid.Int64Range(0, 5000).Draw(f.t, what) }

func (f *flow) add(parent int, service, name string, kind journey.Kind, start int64) int {
	s := journey.Span{Service: service, Name: fmt.Sprint(name, len(f.spans)), Kind: kind, Start: start}
	s.Trace[0] = 1
	binary.BigEndian.PutUint64(s.ID[:], uint64(len(f.spans)+1))
	if parent >= 0 {
		s.Parent = f.spans[parent].ID
	}
	f.spans = append(f.spans, s)
	return len(f.spans) - 1
}

// entry adds the server of a call that begins, and returns when the call ends.
func (f *flow) entry(client int, start int64, depth int) int64 {
	f.services++
	service := fmt.Sprint("s", f.services)
	at := start + f.overhead/2
	server := f.add(client, service, "serve", journey.KindServer, at)
	for range rapid.IntRange(0, 3).Draw(f.t, "groups") {
		end := at
		for range rapid.IntRange(1, 3).Draw(f.t, "side by side") {
			begin := at + f.draw("lag")
			if depth > 0 && rapid.Bool().Draw(f.t, "call") {
				c := f.add(server, service, "call", journey.KindClient, begin)
				f.spans[c].End = f.entry(c, begin, depth-1)
				end = max(end, f.spans[c].End)
				continue
			}
			w := f.add(server, service, "work", journey.KindInternal, begin)
			f.spans[w].End = begin + f.draw("work")
			end = max(end, f.spans[w].End)
		}
		at = end
	}
	f.spans[server].End = at + f.draw("last")
	return f.spans[server].End + f.overhead - f.overhead/2
}
