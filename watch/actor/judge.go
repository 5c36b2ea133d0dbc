package actor

import (
	"cmp"
	"slices"
	"time"

	"tracelab/journey"
	"tracelab/watch/record"
)

// next returns when to look at a trace next.
func (p *Partition) next(t *trace) time.Duration {
	quiet := max(t.news, p.since) + p.config.Quiet
	at := max(t.news+p.config.Window, quiet)
	if at <= p.now {
		at = t.news + 2*p.config.Window
	}
	if t.judged == open && quiet > p.now {
		at = min(at, quiet)
	}
	if t.hopeful >= 0 {
		at = min(at, t.hopeful+p.config.Quiet/4)
	}
	for key, asked := range t.asked.all() {
		if expires := asked + p.config.Quiet/4; expires > p.now && !t.answered(key) {
			at = min(at, expires)
		}
	}
	return max(at, p.now+time.Millisecond)
}

// gaveUp reports whether, since a trace was worked on, an answer has been out for so long that none is expected any more.
func (p *Partition) gaveUp(t *trace) bool {
	for key, asked := range t.asked.all() {
		if expires := asked + p.config.Quiet/4; expires > t.worked && expires <= p.now && !t.answered(key) {
			return true
		}
	}
	return false
}

func (t *trace) answered(key asking) bool {
	a, told := t.answers.get(key.of)
	return told && a.known
}

// hopes reports whether a trace waits for answers before it first tells or gives. It does so for as long as one answer may take, even when it
// asks more and more. What comes later is passed on at once: a root that is quiet must not be judged before it hears of it.
func (p *Partition) hopes(t *trace) bool {
	if t.sent.len()+t.gave.len() > 0 || !p.mayHear(t) || t.hopeful >= 0 && p.now-t.hopeful >= p.config.Quiet/4 {
		t.hopeful = -1
		return false
	}
	if t.hopeful < 0 {
		t.hopeful = p.now
	}
	return true
}

// mayHear reports whether an answer is out that is still expected.
func (p *Partition) mayHear(t *trace) bool {
	for key, asked := range t.asked.all() {
		if p.now-asked < p.config.Quiet/4 && !t.answered(key) {
			return true
		}
	}
	return false
}

// awaits reports whether an answer is out.
func (t *trace) awaits() bool {
	for key := range t.asked.all() {
		if !t.answered(key) {
			return true
		}
	}
	return false
}

// look judges a trace that is due, lets it ask, tell and give what is new, and closes it after the window.
func (p *Partition) look(t *trace) {
	t.at = -1
	quiet := p.now-max(t.news, p.since) >= p.config.Quiet
	late := quiet && p.now-t.news >= p.config.Window
	waits := false
	switch {
	case quiet && t.judged == open && len(t.own) > 0:
		if t.studied && !t.rooted && !t.awaits() {
			break // nothing came since: it has no journey of its own
		}
		l := p.study(t)
		if waits = late && l.waits() && p.now-t.news < 2*p.config.Window; !waits {
			p.judge(l, late, "")
		}
	case p.gaveUp(t), t.hopeful >= 0 && p.now-t.hopeful >= p.config.Quiet/4:
		p.work(t)
	}
	if late && !waits {
		p.close(t)
		return
	}
	p.wake(t, p.next(t))
}

// waits reports whether the trace's own root is an orphan, and the verdict of another root is missing whose journey may contain the trace:
// that verdict may take the whole window.
func (l *local) waits() bool {
	if l.root < 0 || !l.orphan {
		return false
	}
	reached, sure := l.reached()
	return !reached && !sure
}

// close decides and forgets a trace for which nothing new has come for the window. A trace without a verdict leaves itself a note: when its
// partition is read again from the middle of the trace, what is left of it may begin at a span that seems to be a root.
func (p *Partition) close(t *trace) {
	if t.judged == open && t.counted {
		p.decide(t, p.fate(t))
	}
	if t.counted && t.judged != judged && t.judged != incomplete && !t.closed() {
		p.send = append(p.send, record.Record{Kind: record.Tell, To: t.id, From: t.id, Judge: true, Reach: t.judged == part})
	}
	p.forget(t)
}

// closed reports whether a trace was closed before without a verdict.
func (t *trace) closed() bool { return t.reaches.find(t.id) >= 0 }

// fate returns what becomes of a trace that has no journey of its own. One whose root was judged before, and of which only what came later is read again, may
// seem to have none.
func (p *Partition) fate(t *trace) outcome {
	if t.done {
		return judged
	}
	for _, yes := range t.reaches.all() {
		if yes {
			return part
		}
	}
	if !t.studied {
		p.study(t)
	}
	if t.reached && !t.rooted {
		return part // the verdict of the root is still to come, or got lost
	}
	if p.see(t, t.spans()).shared() {
		return shared
	}
	return rootless
}

// judge judges the root of a trace, when all that must be known is known, or in any case when it is late. With a reason it is
// incomplete.
func (p *Partition) judge(l *local, late bool, reason string) {
	t := l.trace
	if l.root < 0 {
		return
	}
	if t.closed() {
		p.say(t, nil)
		p.decide(t, p.fate(t))
		return
	}
	if l.orphan {
		switch reached, sure := l.reached(); {
		case reached:
			p.say(t, nil)
			p.decide(t, part)
			return
		case !sure && !late:
			return
		}
	}
	var c collection
	c.room(len(l.spans) + len(t.given) + len(t.stubs) + t.asks.len())
	for k := range l.spans {
		c.addOwn(l.spans[k])
	}
	took := false
	for _, x := range t.given {
		if !t.tookBack(x.ref()) {
			c.add(x.span())
		} else {
			took = true
		}
	}
	needed := func(*journey.Span) bool { return true }
	if took {
		needed = neededBy(c.spans)
	}
	for _, x := range t.stubs {
		if s := x.stub(); needed(&s) {
			c.add(s)
		}
	}
	for of, list := range t.asks.all() {
		for _, a := range list {
			if who := a.who.stub(); !isReceive(&who) && l.leads(journey.Ref{Trace: t.id, Span: of}, &who) {
				c.add(who)
			}
		}
	}
	j, ok := Judge(c.spans, t.id)
	if !ok {
		p.say(t, nil)
		p.decide(t, shared)
		return
	}
	if t.done {
		p.say(t, j)
		p.decide(t, judged)
		return
	}
	messages := messagesOf(j)
	unhandled := p.groups.unhandled(messages)
	if unhandled != "" && !late && reason == "" {
		return
	}
	p.say(t, j)
	why, _ := j.Incomplete()
	v := Verdict{Root: t.id, Journey: j, Incomplete: cmp.Or(reason, why, unhandled)}
	p.groups.learn(messages)
	p.verdicts = append(p.verdicts, v)
	if v.Incomplete != "" {
		p.decide(t, incomplete)
	} else {
		p.decide(t, judged)
	}
}

// say tells each trace that gave spans to a root whether the root's journey reaches it.
func (p *Partition) say(t *trace, j *journey.Journey) {
	var traces []journey.TraceID
	if j != nil {
		traces = j.Traces()
	}
	told := map[journey.TraceID]bool{t.id: true}
	for _, x := range t.given {
		if of := x.ref().Trace; !told[of] {
			told[of] = true
			p.send = append(p.send, record.Record{Kind: record.Tell, To: of, From: t.id, Judge: true, Reach: slices.Contains(traces, of)})
		}
	}
}

// reached reports whether another journey contains this trace, whose own root is an orphan: that of a root that takes precedence over it. sure
// says that the verdicts of all such roots are known.
func (l *local) reached() (reached, sure bool) {
	sure = true
	own := l.infos.of(l.trace.id)
	for i := range l.labels {
		if l.number[i] < 0 {
			continue
		}
		if l.many[i] {
			return true, true
		}
		for _, id := range l.labels[i] {
			x := l.infos.of(id)
			before := !x.Orphan || x.First < own.First || x.First == own.First && id.Compare(own.Trace) < 0
			if id == own.Trace || !before {
				continue
			}
			yes, known := l.trace.reaches.get(id)
			if yes {
				return true, true
			}
			sure = sure && known
		}
	}
	return false, sure
}

// Overdue judges the roots that have been open for longer than patience, although the group is not up to date, while more returns true; a
// nil more always does. It returns whether some are left. The journeys are incomplete for the given reason, such as "partition 7 was behind".
func (p *Partition) Overdue(patience time.Duration, reason string, more func() bool) (left bool) {
	for _, t := range p.born {
		if p.clock.Wall-t.born <= patience {
			break // those after it are younger
		}
		if p.traces[t.id] != t || t.judged != open || !t.counted || t.studied && !t.rooted {
			continue
		}
		if more != nil && !more() {
			return true
		}
		p.judge(p.study(t), true, reason)
	}
	return false
}
