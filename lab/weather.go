package lab

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"tracelab/services"
)

// backTimeout bounds the time from a start until messages reach the part again.
const backTimeout = 10 * time.Second

// Happened is an event that took place.
type Happened struct {
	Event string  `json:"event"` // as --event takes it; its time is when it was meant to be
	AtMS  float64 `json:"at_ms"` // when it was begun, from the first order's intended start
	// TookMS is how long it took: a stop until all is finished, a start until calls and messages reach the part.
	TookMS float64 `json:"took_ms"`
	Error  string  `json:"error,omitempty"`

	event     Event
	begun     time.Time
	ended     time.Time
	connected bool // of a start: it worked
}

// Weather disturbs the parts of a run under way: at the times of its Config.Events, and whenever Do is called. Make one with NewWeather, put it
// into Config.Weather, and call Do while Run runs.
type Weather struct {
	mu       sync.Mutex
	env      *environment // nil while no run is under way
	began    time.Time    // of the run
	happened []Happened   // in the order in which they were begun
	doing    sync.WaitGroup
	timed    *sync.WaitGroup // the events that have their time
}

// NewWeather makes the weather of one run at a time.
func NewWeather() *Weather { return &Weather{} }

// part is what can be disturbed.
type part interface {
	Stop(ctx context.Context, name string) error
	Kill(name string) error
	Pause(name string) error
	Start(ctx context.Context, name string) error
}

var (
	_ part = (*services.System)(nil)
	_ part = (*Broker)(nil)
)

// Do does something to a part now: stop, kill, pause or start; e.At is ignored. It returns when that is done, and the run's report tells of it.
func (w *Weather) Do(ctx context.Context, e Event) error {
	w.mu.Lock()
	env, began := w.env, w.began
	if env == nil || began.IsZero() {
		w.mu.Unlock()
		return errors.New("no run is under way whose parts could be disturbed")
	}
	e.At = time.Since(began).Round(time.Millisecond)
	w.doing.Add(1)
	w.mu.Unlock()
	defer w.doing.Done()
	return w.do(ctx, env, e)
}

// do does an event and notes it.
func (w *Weather) do(ctx context.Context, env *environment, e Event) error {
	h := Happened{Event: e.String(), event: e, begun: time.Now()}
	w.mu.Lock()
	place := len(w.happened)
	w.happened = append(w.happened, h)
	w.mu.Unlock()
	err := env.disturb(ctx, e)
	h.ended = time.Now()
	h.AtMS, h.TookMS = milliseconds(h.begun.Sub(w.began)), milliseconds(h.ended.Sub(h.begun))
	h.connected = err == nil && e.Do == "start"
	if err != nil {
		h.Error = err.Error()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.happened[place] = h
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// disturb does an event to the services or the broker of this process.
func (env *environment) disturb(ctx context.Context, e Event) error {
	var to part = env.system
	switch {
	case env.system == nil:
		return errors.New("the services run elsewhere")
	case e.Part == kafkaPart && env.embedded == nil, e.Part == rabbitmqPart:
		return fmt.Errorf("the lab did not start %s", e.Part)
	case e.Part == kafkaPart:
		to = env.embedded
	}
	switch e.Do {
	case "stop":
		ctx, cancel := context.WithTimeout(ctx, stopTimeout)
		defer cancel()
		return to.Stop(ctx, e.Part)
	case "kill":
		return to.Kill(e.Part)
	case "pause":
		return to.Pause(e.Part)
	case "start":
		ctx, cancel := context.WithTimeout(ctx, backTimeout)
		defer cancel()
		if err := to.Start(ctx, e.Part); err != nil {
			return errors.Join(env.kafkaAway(e), err)
		}
		return env.system.Ready(ctx)
	}
	return fmt.Errorf("no event %q", e.Do)
}

// open lets Do work on a run.
func (w *Weather) open(env *environment) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.env, w.happened, w.began = env, nil, time.Time{}
}

// begin tells when the run began, and does its events at their times in the background. wait waits until all of them are done.
func (w *Weather) begin(ctx context.Context, began time.Time, events []Event) (wait func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.began = began
	timed, env := &sync.WaitGroup{}, w.env
	w.timed = timed
	for _, e := range inTime(events) {
		timed.Go(func() {
			if pause(ctx, time.Until(began.Add(e.At))) {
				_ = w.do(context.WithoutCancel(ctx), env, e) // it is in the report
			}
		})
	}
	return timed.Wait
}

// close ends the time in which Do works, and returns what happened.
func (w *Weather) close() []Happened {
	w.mu.Lock()
	w.env = nil
	timed := w.timed
	w.mu.Unlock()
	if timed != nil {
		timed.Wait()
	}
	w.doing.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.happened)
}
