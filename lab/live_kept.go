package lab

import (
	"math"
	"slices"
	"time"

	"tracelab/journey/compare"
)

// unfinishedLimit is how many units are kept at the most, beyond the recent ones, while their journeys are not complete.
const unfinishedLimit = 2000

// keptUnits are the newest units of a lab that stays up, with their spans. The judge's lock guards them.
type keptUnits struct {
	recent   int             // units that are kept
	measured func(*keptUnit) // is told of a journey that is complete for the first time
	touched  func()          // is told when spans came
	byKey    map[orderKey]*keptUnit
	inOrder  []*keptUnit // as they were placed
	leftOut  int         // units that are not kept any more
}

// keptUnit is one of them.
type keptUnit struct {
	*record
	begun   time.Time // when it was placed
	ended   time.Time // when it had its answer
	era     int       // instance of the service of the entry step that it was last known to
	counted bool      // its completion is in the figures
	given   bool      // its time is over: its journey is final, whatever is missing
}

func newKeptUnits(recent int, measured func(*keptUnit), touched func()) *keptUnits {
	return &keptUnits{recent: max(recent, 1), measured: measured, touched: touched, byKey: map[orderKey]*keptUnit{}}
}

// find returns a unit's record, or nil.
func (k *keptUnits) find(key orderKey) *record {
	if u := k.byKey[key]; u != nil {
		return u.record
	}
	return nil
}

// add keeps a unit that is being placed.
func (k *keptUnits) add(key orderKey, at time.Time) *keptUnit {
	u := &keptUnit{record: &record{key: key}, begun: at}
	u.Form, u.Number, u.Intended = string(key.form), key.number, at.UTC()
	k.byKey[key] = u
	k.inOrder = append(k.inOrder, u)
	return u
}

// completed notes that a unit's journey has been measured.
func (k *keptUnits) completed(r *record) {
	if u := k.byKey[r.key]; u != nil && !u.counted {
		u.counted = true
		k.measured(u)
	}
}

// final tells whether nothing more is expected of a unit.
func (u *keptUnit) final() bool { return u.given || u.placed && u.complete && u.Incomplete == "" }

// makeRoom lets units go: the oldest final ones beyond the recent ones, and the oldest of all when there are too many, or too many spans.
func (k *keptUnits) makeRoom(j *judge) {
	for len(k.inOrder) > k.recent {
		i := slices.IndexFunc(k.inOrder, (*keptUnit).final)
		tooMany := len(k.inOrder) > k.recent+unfinishedLimit || j.held > j.limit
		if i < 0 && !tooMany {
			return
		}
		k.remove(j, max(0, i))
	}
	for j.held > j.limit && len(k.inOrder) > 1 {
		k.remove(j, 0)
	}
	if j.batches != nil && j.batches.links >= j.batches.limit { // most are of units that are not kept any more
		clear(j.batches.waiting)
		j.batches.links = 0
	}
}

// remove lets a unit go, with its spans.
func (k *keptUnits) remove(j *judge, i int) {
	u := k.inOrder[i]
	k.inOrder = slices.Delete(k.inOrder, i, i+1)
	delete(k.byKey, u.key)
	k.leftOut++
	j.held -= u.unsaved
	j.batches.forget(u.record)
}

// waited is how long the unit's client waited, in milliseconds: by its span once the journey is whole, as in a run, so that nothing is completed before
// its answer; until then by the client's clock.
func (u *keptUnit) waited() float64 {
	if u.complete {
		if ms := u.values[measureIndex(compare.CallerWait)]; !math.IsNaN(ms) {
			return ms
		}
	}
	return float64(u.CallerWait) / 1e6
}
