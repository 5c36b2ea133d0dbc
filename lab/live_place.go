package lab

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"tracelab/lab/rundir"
	"tracelab/services"
)

// knownLive is how many spans of a Jaeger a lab that stays up knows at the most.
const knownLive = 200_000

// LeastRate is the lowest rate of a stream that runs, in units/s over all of its forms, and MostRate the highest.
const (
	LeastRate = 0.001
	MostRate  = 1000
)

// UnitKey names a unit of a lab. Twins have the same number: they are the same unit in several forms.
type UnitKey struct {
	Form   services.Form
	Number int
}

// Placed is a unit that was placed, and what its client was told.
type Placed struct {
	Key UnitKey
	rundir.Order
}

// Stream is what is placed without anybody's doing: units at intended start times that do not depend on any answer.
type Stream struct {
	Rate  float64         // units/s over all forms, up to MostRate; 0: none
	Forms []services.Form // that each number is placed in, one after another
}

// streaming is the stream of a lab, and how late its generator is.
type streaming struct {
	mu      sync.Mutex
	stream  Stream
	changed chan struct{} // closed when there is another one
	lags    *hdrhistogram.Histogram
	since   time.Time        // of lags
	last    rundir.Generator // before that
	skipped int              // units of the stream that were due while the lab was full
}

// mostBehind is how far a stream may be behind its time and still make up for it.
const mostBehind = 2 * time.Second

// lagsFor is for how long start lags are summed up.
const lagsFor = 10 * time.Second

func (l *Live) load() load {
	l.cond.Lock()
	defer l.cond.Unlock()
	c := l.config
	e := services.Experiment{Flow: c.Flow.Name, Relation: l.cond.Relation, Seed: c.Seed, Faults: l.cond.Faults, Start: l.cond.since}
	return load{client: l.env.client, flow: c.Flow, run: l.name, exp: e, forms: c.Forms}
}

// Place places the same unit in each of the forms at once, and returns when each has its answer or has waited for its time: the twins in the order of
// the forms. With no form it takes the flow's default one. An answer that is an error is in Placed; the error is for what could not be asked.
func (l *Live) Place(ctx context.Context, forms ...services.Form) ([]Placed, error) {
	if !l.open() {
		return nil, errNotOpen
	}
	if len(forms) == 0 {
		forms = []services.Form{l.defaultForm()}
	}
	if err := l.checkForms(forms); err != nil {
		return nil, &ConfigError{err}
	}
	load, number := l.load(), l.number()
	placed := make([]Placed, len(forms))
	errs := make([]error, len(forms))
	var all sync.WaitGroup
	at := time.Now()
	for i, form := range forms {
		all.Go(func() { placed[i], errs[i] = l.placeOne(ctx, load, form, number, at) })
	}
	all.Wait()
	return placed, errors.Join(errs...)
}

// defaultForm is the form of a unit of which none is said.
func (l *Live) defaultForm() services.Form {
	if l.checkForms([]services.Form{l.config.Flow.Default}) == nil {
		return l.config.Flow.Default
	}
	return l.config.Forms[0]
}

// number is that of the next unit.
func (l *Live) number() int {
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	l.next++
	return l.next - 1
}

// placeOne places one unit, and keeps it.
func (l *Live) placeOne(ctx context.Context, load load, form services.Form, number int, intended time.Time) (Placed, error) {
	key := orderKey{form, number}
	l.placing(key, load.exp)
	o, err := load.one(ctx, form, number, intended)
	l.answered(o)
	o.Trace = o.root.Trace.String()
	return Placed{UnitKey{form, number}, o.Order}, err
}

// placing notes a unit that is being placed.
func (l *Live) placing(key orderKey, e services.Experiment) {
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	l.judge.kept.add(key, time.Now()).era = l.sums.era
	l.judge.kept.makeRoom(l.judge)
	l.sums.placing(key)
	e.Number = key.number
	l.drawn.note(e)
	l.touched()
}

// touched notes that there is something new. The judge's lock is held.
func (l *Live) touched() {
	l.reads.touched = time.Now()
	l.nudge()
	l.changes.note()
}

// answered notes what a unit's client was told.
func (l *Live) answered(o order) {
	l.judge.mu.Lock()
	defer l.judge.mu.Unlock()
	l.sums.answered(o)
	if o.Answered() {
		l.figures.waited(services.Form(o.Form), float64(o.CallerWait)/1e6)
	}
	if u := l.judge.kept.byKey[orderKey{services.Form(o.Form), o.Number}]; u != nil {
		u.order, u.placed, u.dirty, u.ended = o, true, true, time.Now()
		u.open = u.cutOff() && u.era < l.sums.era
		l.judge.measureEarly(u.record)
	}
	l.touched()
}

// SetStream puts a stream in the place of the one before. It is refused when its rate or a form makes no sense.
func (l *Live) SetStream(s Stream) error {
	switch {
	case !l.open():
		return errNotOpen
	case s.Rate == 0:
	case !(s.Rate >= LeastRate && s.Rate <= MostRate):
		return &ConfigError{fmt.Errorf("rate %v: use %s/s from %v to %d, or 0 for no stream", s.Rate, unitOf(l.config.Flow).many(), LeastRate, MostRate)}
	case len(s.Forms) == 0:
		return &ConfigError{errors.New("a stream needs a form")}
	}
	if err := l.checkForms(s.Forms); err != nil {
		return &ConfigError{err}
	}
	l.streaming.mu.Lock()
	l.streaming.stream = s
	if l.streaming.changed != nil {
		close(l.streaming.changed)
		l.streaming.changed = nil
	}
	l.streaming.last, l.streaming.lags, l.streaming.skipped = rundir.Generator{}, nil, 0
	l.streaming.mu.Unlock()
	l.changes.note()
	return nil
}

// Stream is the stream now.
func (l *Live) Stream() Stream {
	s, _ := l.streaming.now()
	return s
}

// now is the stream, and the channel that is closed when there is another one.
func (s *streaming) now() (Stream, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.changed == nil {
		s.changed = make(chan struct{})
	}
	return s.stream, s.changed
}

// stream places units until the lab is closed, and returns when each has its answer.
func (l *Live) stream() {
	var units sync.WaitGroup
	defer units.Wait()
	for l.ctx.Err() == nil {
		s, changed := l.streaming.now()
		if s.Rate == 0 {
			select {
			case <-changed:
			case <-l.ctx.Done():
			}
			continue
		}
		l.placeStream(s, changed, &units)
	}
}

// placeStream places one stream, until there is another one. A number is placed in all of its forms before the next one.
func (l *Live) placeStream(s Stream, changed <-chan struct{}, units *sync.WaitGroup) {
	begin := time.Now()
	for placed := 0; ; {
		load, number := l.load(), -1
		load.forms, load.stop = s.Forms, changed
		for _, form := range load.round(placed) {
			intended := begin.Add(time.Duration(float64(placed) / s.Rate * float64(time.Second)))
			if !load.sleepUntil(l.ctx, intended) {
				return
			}
			if behind := time.Since(intended); behind > mostBehind { // the machine slept: what was not placed meanwhile is not made up for
				begin = begin.Add(behind)
				intended = intended.Add(behind)
			}
			placed++
			if number < 0 && l.full() {
				l.streaming.skip(changed)
				continue
			}
			if number < 0 {
				number = l.number()
			}
			l.streaming.late(s.Rate, time.Since(intended))
			units.Go(func() {
				// It was placed as well as it can be: what comes of it is in the accounts. A unit that is under way at the end has its time.
				_, _ = l.placeOne(context.WithoutCancel(l.ctx), load, form, number, intended)
			})
		}
	}
}

// late sums up by how much a unit began too late.
func (s *streaming) late(rate float64, lag time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lags == nil || time.Since(s.since) > lagsFor {
		if s.lags != nil {
			s.last = generatorOf(rate, s.lags)
		}
		s.lags, s.since = hdrhistogram.New(1, int64(time.Minute/time.Microsecond), 3), time.Now()
	}
	_ = s.lags.RecordValue(min(max(1, lag.Microseconds()), s.lags.HighestTrackableValue())) // out of range is a minute and more
}

// generator says how late units began in the last full time of lagsFor.
func (s *streaming) generator() rundir.Generator {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
