package watch

import "time"

// reach tells since when the reader of one partition has been up to date. Once a second the watcher asks the broker where the partition ends. When
// the reader has settled all records before that end, it was up to date at the time of the question. The zero value has never been up to date.
type reach struct {
	open []ask // ends that are not reached yet, oldest first
	asOf int64 // of the newest end that is reached; 0 for none
}

// ask is one question for a partition's end, with the answer.
type ask struct {
	end  int64         // offset of the next record at that time
	asOf int64         // offset in the marks topic up to which marks had been read before
	at   time.Duration // time of the question
}

// mostAsks limits the ends that are remembered while the reader is behind.
const mostAsks = 16

// ask adds a question with its answer. When there are too many, it replaces the newest.
func (r *reach) ask(a ask) {
	if len(r.open) == mostAsks {
		r.open = r.open[:mostAsks-1]
	}
	r.open = append(r.open, a)
}

// settle notes that all records before the offset next are settled.
func (r *reach) settle(next int64) {
	for len(r.open) > 0 && next >= r.open[0].end {
		r.asOf = r.open[0].asOf
		r.open = r.open[1:]
	}
}

// behind returns how long the oldest record that is not settled has been known; 0 when there is none.
func (r *reach) behind(now time.Duration) time.Duration {
	if len(r.open) == 0 {
		return 0
	}
	return now - r.open[0].at
}
