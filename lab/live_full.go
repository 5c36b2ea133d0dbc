package lab

import (
	"fmt"

	"tracelab/services"
)

// mostUnderWay is how many units may be under way before a stream leaves out those that are due: what the machine cannot do would else wait in the
// memory of this process, as calls without an answer, records in the embedded broker, and spans.
const mostUnderWay = 500

// full tells whether too many units are under way for another one: without an answer, or accepted and neither completed nor failed.
func (l *Live) full() bool {
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	n, pending := 0, 0
	for _, u := range l.judge.kept.inOrder {
		if !u.placed || !u.complete && (u.status == services.Accepted || u.status == "" && u.Answered()) {
			n++
		}
	}
	for _, sums := range l.sums.forms {
		pending += sums.now.Pending - sums.now.Lost
	}
	return n >= mostUnderWay || pending >= 2*mostUnderWay // units under way are not kept when they have many spans
}

// skip counts a unit that was due while the lab was full. Changed is the channel of its stream: one that was just replaced has no count any more.
func (s *streaming) skip(changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == changed {
		s.skipped++
	}
}

// skippedText says how many units of the stream were left out, or "".
func (s *streaming) skippedText(u unitWord) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.skipped == 0 {
		return ""
	}
	return fmt.Sprintf("%s not placed, due while %d others were under way: use a lower rate", u.count(s.skipped, "of this stream was", "of this stream were"), mostUnderWay)
}
