package lab

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tracelab/journey/compare"
	"tracelab/services"
)

// Snapshot is all that a person sees of the lab at one time. It is a copy.
type Snapshot struct {
	Version    uint64    // grows with each change
	At         time.Time // of the snapshot
	Forms      []LiveForm
	Lag        []GroupLag    // of Kafka; none with services elsewhere
	Queues     []QueueDepth  // of RabbitMQ; likewise
	Dead       []DeadLetters // likewise, of both
	Unheard    []string      // why what waits at a broker is not that of now, and of when it is
	Parts      []Part
	Fired      []FiredCount
	Stream     Stream
	Conditions Conditions
	Kept       int // recent journeys
	LeftOut    int // journeys that are not kept any more
	AtRest     bool
	Problems   []string
}

// LiveForm is one form of a lab.
type LiveForm struct {
	Form services.Form
	// Accounts are of all units since the lab was opened. They balance whenever the lab is at rest: while units are under way, what their clients know
	// and what the service of the entry step says is read at different times.
	Accounts               Accounts
	CallerWait, Completion compare.Summary // of the last 30 s, in ms
	Points                 []LivePoint     // the oldest first; seconds in which nothing happened are left out
	Effects                Effects
}

// Snapshot is what there is to see now. Lags and dead letters are asked for while somebody looks: they are up to a second older.
func (l *Live) Snapshot() Snapshot {
	if !l.open() {
		return Snapshot{}
	}
	l.looked.Lock()
	idle := time.Since(l.looked.at) > lookedFor
	l.looked.at = time.Now()
	l.looked.Unlock()
	if idle {
		l.nudge()
	}
	version, _ := l.changes.now()
	s := Snapshot{Version: version, At: time.Now(), Parts: l.parts(), Stream: l.Stream(), Conditions: l.Conditions()}
	lag, dead, asked := l.brokers.kafka.now(l.changes.note)
	queues, deadMessages, heard := l.brokers.rabbitmq.now(l.changes.note)
	s.Lag, s.Queues, s.Dead = lag, queues, slices.Concat(dead, deadMessages)
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	for _, form := range l.config.Forms {
		f := LiveForm{Form: form, Accounts: l.sums.forms[form].accounts(), Effects: l.sums.forms[form].effects()}
		f.CallerWait, f.Completion, f.Points = l.figures.of(form)
		s.Forms = append(s.Forms, f)
	}
	s.Fired, s.Kept, s.LeftOut = l.fired(), len(l.judge.kept.inOrder), l.judge.kept.leftOut
	s.AtRest = l.atRest()
	s.Unheard = unheard(asked, heard)
	s.Problems = l.problems(s, asked)
	if heard != nil {
		s.Problems = append(s.Problems, fmt.Sprintf("the RabbitMQ does not answer: %v", heard))
	}
	return s
}

// atRest tells whether no unit is under way, and all that is known of them has been read. The judge's lock is held.
func (l *Live) atRest() bool {
	r := &l.reads
	return r.err == nil && !r.began.Before(r.touched) && !r.pending && !slices.ContainsFunc(l.judge.kept.inOrder, func(u *keptUnit) bool { return !u.placed })
}

// problems lists what is wrong with the lab. The judge's lock is held.
func (l *Live) problems(s Snapshot, broker error) []string {
	var list []string
	for _, part := range s.Parts {
		switch {
		case part.State == partStarting:
			list = append(list, strings.TrimSuffix(fmt.Sprintf("%s is starting: %s", part.Name, part.Waits), ": "))
		case part.State != partRunning:
			list = append(list, fmt.Sprintf("%s is %s: %s that need it wait or fail; start it", part.Name, part.State, unitOf(l.config.Flow).many()))
		}
	}
	if broker != nil && !slices.ContainsFunc(s.Parts, func(p Part) bool { return p.Name == kafkaPart && p.State != partRunning }) {
		list = append(list, fmt.Sprintf("the Kafka does not answer: %v", broker))
	}
	if l.reads.err != nil && l.ctx.Err() == nil {
		list = append(list, fmt.Sprintf("the %s' own state cannot be read, so the accounts are those of %s ago: %v", unitOf(l.config.Flow).many(), time.Since(l.reads.began).Round(time.Second), whyNoAnswer(l.reads.err, roundOfReads)))
	}
	if l.sums.era > 0 {
		list = append(list, restartedText(l.config.Flow, l.sums.orders, l.sums.lostUnits()))
	}
	var dropped int64
	for _, form := range l.config.Forms {
		dropped += l.env.dropped.of(l.name, form)
		list = append(list, l.formProblems(form, s.AtRest)...)
	}
	if dropped > 0 {
		list = append(list, fmt.Sprintf("%s dropped: their journeys stay incomplete", count(int(dropped), "span was", "spans were")))
	}
	if g := l.streaming.generator(); g.Late() {
		list = append(list, fmt.Sprintf("the generator is late: one in a hundred %s begins %.0f ms or more after its time: use a lower rate", unitOf(l.config.Flow).many(), g.StartLagP99))
	}
	if text := l.streaming.skippedText(unitOf(l.config.Flow)); text != "" {
		list = append(list, text)
	}
	if l.reads.jaeger != "" {
		list = append(list, l.reads.jaeger)
	}
	return list
}

// formProblems lists what is wrong with the units of a form. Their accounts balance only at rest. The judge's lock is held.
func (l *Live) formProblems(form services.Form, atRest bool) []string {
	var list []string
	sums := l.sums.forms[form]
	if problem := sums.effects().problem(); problem != "" {
		l.looked.Lock()
		forgotten := l.config.forgottenEffects(sums.effectsOf(), func(service string) string { return l.looked.ended[service] })
		l.looked.Unlock()
		list = append(list, fmt.Sprintf("%s: %s%s", form, problem, forgotten))
	}
	if !atRest {
		return list
	}
	if unknown, refused := sums.unread(); unknown+refused > 0 {
		list = append(list, fmt.Sprintf("%s: %s accepted, though the client was not told so; which they are is not known any more, because too many newer ones came before that was read",
			form, unitOf(l.config.Flow).count(unknown+refused, "was", "were")))
	}
	a := sums.accounts()
	if a.PendingLost > 0 {
		list = append(list, fmt.Sprintf("%s: %s pending for ever: they went on in the memory of a process that has ended", form, unitOf(l.config.Flow).count(a.PendingLost, "is", "are")))
	}
	for _, wrong := range a.Imbalances() {
		list = append(list, fmt.Sprintf("%s: %s", form, wrong))
	}
	return list
}
