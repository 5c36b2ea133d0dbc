package lab

import (
	"go.opentelemetry.io/collector/pdata/ptrace"

	"tracelab/journey"
	"tracelab/lab/rundir"
)

// record is what the judge knows of one order.
type record struct {
	order
	key    orderKey
	placed bool
	open   bool // the client was told of a call that was cut off, by which orders may have had it all the same
	orderState

	held     ptrace.Traces  // spans that are not in the run directory yet
	spans    int            // held and written
	unsaved  int            // held
	steps    int            // spans of steps
	begun    bool           // a span without a parent is there: the client's, or of a trace that begins with a message
	places   []rundir.Place // of those that are written
	batches  []*batchSpan   // in which messages of the order were handled
	traces   int            // of its spans, when they were last examined
	seen     serviceSet     // services that made them
	dirty    bool           // a span came or ended since the journey was last examined
	complete bool
	values   []float64 // by measure, in the order of measures; NaN where the journey has none
	reach    Reach     // of its journey
	warnings []journey.Warning
}

// find returns the record of an order that the run places, or that a lab that stays up keeps, or nil.
func (j *judge) find(key orderKey) *record {
	if j.kept != nil {
		return j.kept.find(key)
	}
	list := j.records[key.form]
	if key.number < 0 || key.number >= len(list) {
		return nil
	}
	if list[key.number] == nil {
		list[key.number] = &record{key: key}
	}
	return list[key.number]
}
