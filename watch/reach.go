package watch

import "time"

// reach tells how far the reader of one partition is. Once a second somebody asks the broker for the partition's end; as soon as the reader has
// settled all before that end, it is known to have been up to date when the question was asked. The zero value has reached nothing.
type reach struct {
	open []ask // that are not reached, oldest first
	asOf int64 // of the newest one that is; 0 for none
}

// ask is one question for a partition's end.
type ask struct {
	end  int64         // offset of the next record at that time
	asOf int64         // how far the marks had been read before
	at   time.Duration // when it was asked
}

// mostAsks bounds the questions of a reader that stays behind.
const mostAsks = 16

// ask adds a question and its answer.
func (r *reach) ask(a ask) {
	if len(r.open) == mostAsks {
		r.open = r.open[:mostAsks-1]
	}
	r.open = append(r.open, a)
}

// settle says that all records before next have been handled.
func (r *reach) settle(next int64) {
	for len(r.open) > 0 && next >= r.open[0].end {
		r.asOf = r.open[0].asOf
		r.open = r.open[1:]
	}
}

// behind returns for how long the oldest known record has been waiting.
func (r *reach) behind(now time.Duration) time.Duration {
	if len(r.open) == 0 {
		return 0
	}
	return now - r.open[0].at
}
