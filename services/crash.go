package services

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"tracelab/services/faults"
	"tracelab/services/internal/carrier"
)

// errCrashed ends the work of a service that has crashed. Nobody hears of it but the service's own spans.
var errCrashed = fmt.Errorf("%w: %w", carrier.ErrUnfinished, &crashError{})

// crashError is how a crash looks in a span.
type crashError struct{}

// Error says that it was injected.
func (*crashError) Error() string { return "the service crashed: injected fault" }

// ErrorType is what the span of the work says.
func (*crashError) ErrorType() string { return faults.Crash }

// mostCrashes is how many crashes are remembered; beyond them none is drawn any more, so that they have an end.
const mostCrashes = 100_000

// crashes remember which orders have made a service crash, because each does so once: its message comes again. They are of the lab, not of the
// service, whose memory is gone.
type crashes struct {
	mu   sync.Mutex
	done map[crashKey]bool
}

type crashKey struct {
	run, fault string
	form       Form
	number     int
}

// first tells whether the order has not made the service crash before.
func (c *crashes) first(e Experiment, f faults.Fault) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := crashKey{e.Run, f.String(), e.Form, e.Number}
	if c.done[key] || len(c.done) >= mostCrashes {
		return false
	}
	if c.done == nil {
		c.done = map[crashKey]bool{}
	}
	c.done[key] = true
	return true
}

// crashAt ends the service when a fault of the order says so. The error ends the work, of which nothing gets out any more.
func (n *node) crashAt(ctx context.Context, e Experiment, point string) error {
	if !n.allowFaults {
		return nil
	}
	for _, f := range e.Faults {
		if f.Service != n.name || !f.CrashesAt(point) || !e.acts(ctx, f) || n.startedAfter(ctx) || !n.crashes.first(e, f) {
			continue
		}
		n.fired.note(e, f)
		n.telemetry.Log.WarnContext(ctx, "the service crashes: injected fault", "point", point)
		if n.crash(n) {
			return errCrashed
		}
	}
	return nil
}

// startedAfter tells whether the message in work is older than this process: one that has made it crash comes again.
func (n *node) startedAfter(ctx context.Context) bool {
	sent, ok := carrier.SentAt(ctx)
	return ok && n.exits && sent.Before(n.began)
}

const (
	crashRestart = 50 * time.Millisecond // between attempts to start a service that has crashed
	crashWithin  = 30 * time.Second      // until it is given up
)

// crash kills a service from within its own work and starts it again. It does nothing while somebody else stops or starts it.
func (s *System) crash(n *node) bool {
	if s.config.Die != nil {
		s.config.Die()
		return true
	}
	unlock, free := s.tryLock(n.instance)
	if !free {
		return false
	}
	defer unlock()
	if !n.life.Alive() {
		return true
	}
	if !s.beginRestart() {
		return false
	}
	evictions := n.evictions()
	s.remove(n)
	n.life.Kill()
	s.graves.Go(func() { n.bury() })
	go func() {
		defer s.restarts.Done()
		ctx, cancel := context.WithTimeout(s.life, crashWithin)
		defer cancel()
		for _, evict := range evictions {
			if err := evict(ctx); err != nil && ctx.Err() == nil { // then its session has to end
				n.telemetry.Log.Warn("a service that crashed stays in its group for a while", "service", n.name, "error", err)
			}
		}
		for ctx.Err() == nil {
			err := s.Start(ctx, n.instance)
			if err == nil {
				return
			}
			if runs, _ := s.Running(n.instance); runs { // somebody else has started it
				return
			}
			if !errors.Is(err, context.Canceled) {
				n.telemetry.Log.Warn("a service that crashed does not start; trying again", "service", n.name, "error", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(crashRestart):
			}
		}
	}()
	return true
}

// evictions tell the brokers that a service is gone. Of a real process they learn it when its session ends, seconds later, which would be most
// of what a run shows.
func (n *node) evictions() []func(context.Context) error {
	var all []func(context.Context) error
	for _, broker := range n.brokers {
		if member, ok := broker.(interface {
			Eviction() func(context.Context) error
		}); ok {
			if evict := member.Eviction(); evict != nil {
				all = append(all, evict)
			}
		}
	}
	return all
}

// tryLock is lock unless somebody else has it.
func (s *System) tryLock(service string) (unlock func(), free bool) {
	s.mu.Lock()
	control := s.control[service]
	if control == nil {
		control = &sync.Mutex{}
		s.control[service] = control
	}
	s.mu.Unlock()
	return control.Unlock, control.TryLock()
}

// beginRestart counts a service that is to start again. It reports false when none is any more.
func (s *System) beginRestart() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return false
	}
	s.restarts.Add(1)
	return true
}

// stopRestarts lets no service crash any more, and waits for those that start again.
func (s *System) stopRestarts() {
	s.mu.Lock()
	s.endRestarts()
	s.mu.Unlock()
	s.restarts.Wait()
}
