package experiments

import (
	"math"
	"time"

	"tracelab/journey"
	"tracelab/services"
)

// waitingNow names the curve of the records that wait for a service.
const waitingNow = "records waiting"

// backlog adds how many records waited for a service when it was back, how long it took until none did, and the curve of the first run.
func (f *Figures) backlog(arm string, runs []*Ran, form services.Form, service string, down outage) error {
	var waiting, until []float64
	for i, ran := range runs {
		journeys, err := ran.Journeys(form)
		if err != nil {
			return err
		}
		changes := queueChanges(journeys, service)
		n, took := drained(changes, ran.began().Add(down.from+inFlight))
		waiting, until = append(waiting, n), append(until, took)
		if i == 0 {
			at, records := curveOf(changes, ran.began())
			defer f.Curve(arm, waitingNow, "records", overTime, at, records)
		}
	}
	f.PerRun(arm, backlogThen, "records", waiting)
	f.PerRun(arm, catchUp, "ms", until)
	return nil
}

// queueChange is a record that comes into a queue, or leaves it.
type queueChange struct {
	at int64 // ns since the Unix epoch
	by int   // 1 or -1
}

// queueChanges reads from the traces when records began to wait for a service, and when it took them, in the order of time.
func queueChanges(journeys []*journey.Journey, service string) []queueChange {
	var changes []queueChange
	for _, j := range journeys {
		if j == nil {
			continue
		}
		for _, m := range j.Messages() {
			if j.Set().Span(m.Consumer).Service != service {
				continue
			}
			_, sent := j.Set().Times(m.Producer)
			taken, _ := j.Set().Times(m.Consumer)
			changes = append(changes, queueChange{min(sent, taken), 1}, queueChange{taken, -1})
		}
	}
	sortChanges(changes)
	return changes
}

// drained is how many records waited when the first one after a time was taken, and how many milliseconds passed from then on until none
// waited. It is NaN when no record was taken.
func drained(changes []queueChange, away time.Time) (waiting, until float64) {
	n, back := 0, int64(math.MaxInt64)
	waiting, until = nan(), nan()
	for i, c := range changes {
		if c.by < 0 && c.at >= away.UnixNano() && back == math.MaxInt64 {
			back, waiting = c.at, float64(n)
		}
		n += c.by
		if c.at >= back && n == 0 && (i+1 == len(changes) || changes[i+1].at > c.at) {
			return waiting, float64(c.at-back) / 1e6
		}
	}
	return waiting, until
}

// curveStep is the time between two points of a curve.
const curveStep = 50 * time.Millisecond

// curveOf is how many records wait, over the seconds since a run began.
func curveOf(changes []queueChange, began time.Time) (at, records []float64) {
	n, next := 0, began.UnixNano()
	for _, c := range changes {
		for ; c.at > next; next += int64(curveStep) {
			at, records = append(at, float64(next-began.UnixNano())/1e9), append(records, float64(n))
		}
		n += c.by
	}
	return at, records
}
