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

// mostCrashes is how many crashes are remembered. After that many no service crashes again, so that memory stays bounded.
const mostCrashes = 100_000

// crashes remember which orders have made a service crash: each does so once, and its message comes again. The lab keeps them, because the service
// loses its memory.
type crashes struct {
	mu   sync.Mutex
	done map[crashKey]bool
}

type crashKey struct {
	run, fault string
	form       Form
	number     int
}

// first reports whether this is the first time that the order makes the service crash.
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

// crashAt ends the service when a fault of the order says so. The error ends the work; none of its results leave the service.
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

// startedAfter reports whether the message in work is older than this process: a message that crashed the service is delivered again.
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
	evictions, back := n.evictions(), s.crashTimes.crashed(n.name)
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
			if runs, _ := s.Running(n.instance); err == nil || runs { // somebody else may have started it
				back()
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

// evictions tell the brokers that a service is gone. For a real process the brokers wait until its session ends, which takes seconds and would
// dominate what a run shows.
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

// tryLock is lock, but reports false when somebody else holds it.
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

// beginRestart counts a service that is to start again. It reports false once restarts have been stopped.
func (s *System) beginRestart() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		return false
	}
	s.restarts.Add(1)
	return true
}

// stopRestarts prevents further restarts and waits for those under way.
func (s *System) stopRestarts() {
	s.mu.Lock()
	s.endRestarts()
	s.mu.Unlock()
	s.restarts.Wait()
}
