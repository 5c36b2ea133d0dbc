package watch

import (
	"testing"
	"time"
)

// others plays two watchers that write a mark a second: this one has work/0, the other one the input.
type others struct {
	g      *gate
	offset int64
	at     time.Duration
	stuck  bool // the input
}

func newOthers() *others {
	o := &others{g: newGate(0)}
	o.g.want(1, 1)
	return o
}

// second lets one pass: each watcher has read all marks before, and writes one.
func (o *others) second() state {
	asOf := o.g.read
	o.g.heard(o.offset, part{id: 0}, mark{AsOf: asOf})
	o.g.wrote(o.offset, o.at)
	o.offset++
	if !o.stuck {
		o.g.heard(o.offset, part{input: true, id: 0}, mark{AsOf: asOf})
		o.offset++
	}
	o.at += time.Second
	return o.g.advance(o.at)
}

func (o *others) seconds(n int) (s state) {
	for range n {
		s = o.second()
	}
	return s
}

// TestGateOpens: it is ready once the group is up to date, and gated time begins then.
func TestGateOpens(t *testing.T) {
	o := newOthers()
	if s := o.second(); s.Ready || s.Now != 0 || s.Held == 0 {
		t.Errorf("after 1 s: %+v", s)
	}
	if s := o.seconds(14); !s.Ready || s.Now < 12*time.Second || s.Now > 14*time.Second {
		t.Errorf("after 15 s: %+v", s)
	}
}

// TestGateHolds: a partition that stays behind stops gated time and is named; no time of the hold is counted when it is back.
func TestGateHolds(t *testing.T) {
	o := newOthers()
	before := o.seconds(20)
	o.stuck = true
	s := o.seconds(30)
	if s.Ready || s.Held < 20*time.Second || s.Held > 30*time.Second || s.reason() != "partition 0 of the input was behind" {
		t.Errorf("while it is stuck: %+v, %s", s, s.reason())
	}
	if passed := s.Now - before.Now; passed > HoldAfter {
		t.Errorf("%v passed while the input was stuck", passed)
	}
	o.stuck = false
	for range 5 {
		if back := o.second(); back.Ready {
			if back.Now != s.Now {
				t.Errorf("the time of the hold is counted: %+v", back)
			}
			return
		}
	}
	t.Error("it stays held")
}

// TestGateOfAWatcherThatStoodStill: marks that it reads late are no news, since none of its own is among what they had seen.
func TestGateOfAWatcherThatStoodStill(t *testing.T) {
	o := newOthers()
	before := o.seconds(20)
	asOf := o.g.read
	o.at += 30 * time.Second // it stands still, the other one does not
	for range 30 {
		o.g.heard(o.offset, part{input: true, id: 0}, mark{AsOf: asOf})
		o.offset++
	}
	if s := o.g.advance(o.at); s.Ready || s.Now != before.Now {
		t.Errorf("after 30 s without it: %+v", s)
	}
}

// TestGateWaitsForEveryPartition: one of which nobody has written a mark holds all.
func TestGateWaitsForEveryPartition(t *testing.T) {
	o := newOthers()
	o.g.want(1, 2)
	if s := o.seconds(60); s.Ready || s.Held < 50*time.Second || s.reason() != "partition 1 was behind" {
		t.Errorf("%+v, %s", s, s.reason())
	}
}

// TestMarks: what a mark says comes back, and nothing else is taken for one.
func TestMarks(t *testing.T) {
	want := mark{AsOf: 7, BehindMS: 1500, Watcher: "a"}
	p, m, err := parseMark([]byte(part{input: true, id: 3}.String()), want.value())
	if err != nil || p != (part{input: true, id: 3}) || m != want {
		t.Errorf("%v %+v %v", p, m, err)
	}
	for _, key := range []string{"", "input", "input/", "input/-1", "other/1", "work/99999999999"} {
		if _, _, err := parseMark([]byte(key), want.value()); err == nil {
			t.Errorf("key %q is taken", key)
		}
	}
	if _, _, err := parseMark([]byte("work/1"), []byte("no")); err == nil {
		t.Error("a value that is no JSON is taken")
	}
}

// TestReach: a reader is up to date as of the newest question whose answer it has reached.
func TestReach(t *testing.T) {
	var r reach
	r.ask(ask{end: 10, asOf: 1, at: time.Second})
	r.ask(ask{end: 20, asOf: 2, at: 2 * time.Second})
	r.settle(15)
	if r.asOf != 1 || r.behind(5*time.Second) != 3*time.Second {
		t.Errorf("%+v", r)
	}
	for i := range int64(100) { // a reader that is stuck
		r.ask(ask{end: 21 + i, asOf: 3 + i, at: 3 * time.Second})
	}
	if len(r.open) > mostAsks || r.behind(5*time.Second) != 3*time.Second {
		t.Errorf("%d questions are open, the oldest since %v", len(r.open), r.behind(5*time.Second))
	}
	r.settle(1000)
	if r.asOf != 102 || r.behind(5*time.Second) != 0 {
		t.Errorf("%+v", r)
	}
}
