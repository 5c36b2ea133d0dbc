package lab

import (
	"context"
	"fmt"
	"time"

	"tracelab/services"
)

const (
	// busyInterval is how often the units' own state is read while something is under way, calmInterval while it may be, or while somebody looks.
	busyInterval, calmInterval = 200 * time.Millisecond, time.Second
	// lookedFor is how long somebody who has asked for a snapshot counts as looking.
	lookedFor = 5 * time.Second
	// roundOfReads bounds one round.
	roundOfReads = 8 * time.Second
)

// liveReads is what was read last of the units' own state. The judge's lock guards it, but for states and taken: only one goroutine reads.
type liveReads struct {
	states *stateReader
	taken  []services.State // in this round, and in those before it that failed: their pages are not read again

	err     error     // of the last round; nil: it was made
	summary bool      // sums were read at least once
	began   time.Time // of the last round that was made
	touched time.Time // when something came last that is to be looked into: a unit, an answer, a span
	pending bool      // units were, in the last round
	jaeger  string    // why spans could not be fetched from the Jaeger; "": they were
}

func (r *liveReads) take(s services.State) { r.taken = append(r.taken, s) }

// resume goes on behind the pages that were read. When another instance answers now, or more was taken than the limit, it begins at the first page.
func (r *liveReads) resume(orders services.OrdersInstance, limit int) {
	if r.states.instance != orders.Instance || len(r.taken) > limit {
		r.taken = nil
		r.states.begin()
	}
	r.states.now(orders)
}

// nudge wakes up who reads.
func (l *Live) nudge() {
	select {
	case l.nudges <- struct{}{}:
	default:
	}
}

// follow reads the units' own state until the lab is closed: often while something is under way, and not at all while nothing is and nobody looks.
func (l *Live) follow() {
	for l.ctx.Err() == nil {
		l.round()
		interval := l.interval()
		if interval == 0 {
			select {
			case <-l.nudges:
			case <-l.ctx.Done():
			}
			interval = busyInterval / 4 // more of it comes at once
		}
		pause(l.ctx, interval)
	}
}

// interval is the time until the next round; 0: until there is something to do.
func (l *Live) interval() time.Duration {
	l.looked.Lock()
	looks, did := time.Since(l.looked.at) < lookedFor, time.Since(l.looked.did) < l.config.Deadline
	l.looked.Unlock()
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	switch r := &l.reads; {
	case r.err != nil:
		return calmInterval
	case r.began.Before(r.touched) || l.unfinished():
		return busyInterval
	case r.pending || looks || did:
		return calmInterval
	}
	return 0
}

// unfinished tells whether a kept unit's journey may still become complete.
func (l *Live) unfinished() bool {
	for _, u := range l.judge.kept.inOrder {
		if !u.final() {
			return true
		}
	}
	return false
}

// round reads the sums and what has changed of the units, and judges those that it is about. When the service of the entry step was restarted meanwhile
// it says nothing, and the next round begins anew.
func (l *Live) round() {
	ctx, cancel := context.WithTimeout(l.ctx, roundOfReads)
	defer cancel()
	began := time.Now()
	l.judge.mu.Lock()
	known := l.sums.knownUnits()
	l.judge.mu.Unlock()
	before, err := l.env.client.summary(ctx, l.name)
	if err == nil {
		l.reads.resume(before.Orders, l.sums.limit)
		err = l.reads.states.round(ctx)
	}
	var after services.Summary
	if err == nil {
		after, err = l.env.client.summary(ctx, l.name)
	}
	if err == nil && after.Orders.Instance != before.Orders.Instance {
		err = fmt.Errorf("%s was restarted just now", l.config.Flow.Entry().Service())
	}
	if l.ctx.Err() != nil {
		return
	}
	if err == nil {
		for _, s := range l.reads.taken {
			l.judge.know(s)
		}
	}
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	l.noteRound(began, after, known, err)
	l.conclude(began)
}

// noteRound takes the result of a round into the accounts. The judge's lock is held.
func (l *Live) noteRound(began time.Time, after services.Summary, known map[services.Form]int, err error) {
	defer l.changes.note()
	if l.reads.err = err; err != nil {
		return
	}
	l.reads.began, l.reads.summary = began, true
	if l.sums.restarted(after.Orders) {
		for _, u := range l.judge.kept.inOrder {
			u.open = u.cutOff()
		}
	}
	for _, s := range l.reads.taken {
		l.sums.know(s)
		if u := l.judge.kept.byKey[orderKey{s.Form, s.Number}]; u != nil {
			u.era = l.sums.era
		}
	}
	l.reads.taken = l.reads.taken[:0]
	l.sums.read(after, known)
	l.reads.pending = false
	for _, a := range after.Forms {
		l.reads.pending = l.reads.pending || a.Pending > a.Lost // a lost one stays as it is
	}
}

// conclude judges the kept units whose state is known since a round began. The judge's lock is held.
func (l *Live) conclude(began time.Time) {
	for _, u := range l.judge.kept.inOrder {
		if !u.placed || u.given && !u.dirty {
			continue
		}
		switch {
		case l.reads.err == nil && u.ended.Before(began) && (u.status != "" || u.ID == ""), l.lost(u):
			l.judge.concludeOne(u.record)
		case u.complete && u.status == "":
			u.Incomplete = "" // its spans say enough
		}
		complete := u.complete && u.Incomplete == ""
		u.given = !complete && time.Since(u.ended) > l.config.Deadline && (u.status != services.Accepted || l.lost(u) || l.sums.forms[u.key.form].stuck())
	}
	l.judge.kept.makeRoom(l.judge)
}

// lost tells whether a unit was accepted by an instance that has forgotten it. The judge's lock is held.
func (l *Live) lost(u *keptUnit) bool {
	return u.placed && u.era < l.sums.era && (u.ID != "" || u.status == services.Accepted) && final(u.status) == 0 && l.reads.began.After(u.ended)
}

// fetch asks the Jaeger for spans while journeys are not complete.
func (l *Live) fetch() {
	for pause(l.ctx, calmInterval) {
		l.judge.mu.Lock()
		from, missing := time.Now(), false
		for _, u := range l.judge.kept.inOrder {
			if !u.final() && u.begun.Before(from) {
				from, missing = u.begun, true
			}
		}
		l.judge.mu.Unlock()
		if missing {
			l.env.jaeger.fetch(l.ctx, from.Add(-clockMargin))
			l.env.jaeger.forget(knownLive)
			l.judge.mu.Lock()
			l.reads.jaeger = l.env.jaeger.problem()
			l.judge.mu.Unlock()
		}
	}
}
