package lab

import (
	"math"
	"time"

	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/services"
)

// States of a unit: those of an outcome, and two of a unit under way.
const (
	StatePlaced    = "placed"   // its client has no answer yet
	StateAccepted  = "accepted" // it is under way
	StateCompleted = "completed"
	StateFailed    = "failed"
	StateRefused   = "refused" // the client was told of an error, and nobody has such a unit
	StateUnknown   = "unknown" // the client was told nothing, and nobody has such a unit
	StateLost      = "lost"    // who had accepted it has forgotten it, with its memory
)

// States lists the states of a unit.
func States() []string {
	return []string{StatePlaced, StateAccepted, StateCompleted, StateFailed, StateRefused, StateUnknown, StateLost}
}

// JourneyLine is one of the recent units.
type JourneyLine struct {
	Key          UnitKey
	Trace        string   // of the client's span; "" before the answer
	State        string   // one of the states above
	Status       int      // of HTTP; 0: no answer
	Error        string   // of the answer; ""
	Failure      string   // the first that its own state tells of, such as "payment.Charge: payment_declined"; ""
	WaitMS       *float64 // caller wait; nil before the answer
	CompletionMS *float64 // nil until the journey is complete
	Spans        int
	Traces       int
	Incomplete   string // why its journey is not complete; "" when it is, or when it may still become complete
	Final        bool   // nothing more is expected
	Placed       time.Time
}

// LiveJourney is what is known of one unit.
type LiveJourney struct {
	JourneyLine
	Set     *journey.Set     // of its spans so far
	Journey *journey.Journey // from the client's span on; nil while that is missing
	// Failures are those that its own state tells of.
	Failures []services.StepFailure
}

// Recent lists the kept units, the newest first, and how many older ones were left out.
func (l *Live) Recent() (list []JourneyLine, leftOut int) {
	if !l.open() {
		return nil, 0
	}
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	kept := l.judge.kept
	list = make([]JourneyLine, 0, len(kept.inOrder))
	for i := range kept.inOrder {
		list = append(list, l.line(kept.inOrder[len(kept.inOrder)-1-i]))
	}
	return list, kept.leftOut
}

// Journey returns what is known of one unit now; ok is false when it is not, or no longer, kept.
func (l *Live) Journey(key UnitKey) (j LiveJourney, ok bool) {
	if !l.open() {
		return j, false
	}
	l.judge.mu.Lock()
	u := l.judge.kept.byKey[orderKey{key.Form, key.Number}]
	if u == nil {
		l.judge.mu.Unlock()
		return j, false
	}
	spans, err := l.judge.spansOf(u.record)
	j.JourneyLine = l.line(u)
	if u.failed != nil {
		j.Failures = append(j.Failures, u.failed.Failures...)
	}
	root := u.root
	l.judge.mu.Unlock()
	if err != nil { // spans that are held in memory can always be read
		return j, false
	}
	j.Traces = distinctTraces(spans)
	j.Set = journey.NewSet(spans)
	if i, found := j.Set.Find(root); found {
		j.Journey, _ = j.Set.JourneyFrom(i)
	}
	return j, true
}

// line is what a list says of a unit. The judge's lock is held.
func (l *Live) line(u *keptUnit) JourneyLine {
	line := JourneyLine{Key: UnitKey{u.key.form, u.key.number}, State: l.state(u), Status: u.Status, Error: u.Error, Spans: u.spans, Traces: u.traces, Placed: u.begun, Final: u.final()}
	if u.failed != nil {
		first := u.failed.Failures[0]
		line.Failure = first.Step + ": " + first.Reason
	}
	if u.placed {
		line.WaitMS = new(u.waited())
		line.Trace = u.root.Trace.String()
	}
	if u.complete {
		if ms := u.values[measureIndex(compare.Completion)]; !math.IsNaN(ms) {
			line.CompletionMS = &ms
		}
	} else {
		line.Incomplete = u.Incomplete
	}
	return line
}

// state is the word for what is known of a unit. The judge's lock is held.
func (l *Live) state(u *keptUnit) string {
	switch {
	case l.lost(u):
		return StateLost
	case u.status == services.Accepted, u.status == "" && u.ID != "":
		return StateAccepted
	case u.status != "":
		return string(u.status)
	case !u.placed:
		return StatePlaced
	}
	return u.outcome()
}
