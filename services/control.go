package services

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"tracelab/internal/process"
	"tracelab/internal/vocabulary"
)

// Stop, Kill, Pause and Start take the name of a service for all of its instances that this makes sense for, or SERVICE/N for one.

// Stop ends a service as SIGTERM does: it takes no more requests, finishes what it has begun, acknowledges its messages and flushes its
// spans, within the context's time. What it kept in memory is gone with it. Start brings it back.
func (s *System) Stop(ctx context.Context, name string) error {
	return s.forEach(name, runs, func(instance string) error { return s.stop(ctx, instance) })
}

func (s *System) stop(ctx context.Context, service string) error {
	defer s.lock(service)()
	n, err := s.find(service)
	if err != nil {
		return err
	}
	n.life.Resume() // a process that stands still gets the signal when it goes on
	s.remove(n)
	err = shutdown(ctx, []*node{n})
	n.life.Kill() // and with it the connections that the time was too short for
	return err
}

// Kill ends a service as kill -9 does: its connections are reset, its ports closed; it answers nothing more, acknowledges no message and
// notes nothing, and its memory is gone. Spans that were open are lost; those that had ended before are not: the queue of this process has
// them, which a real kill would lose, too. Kill does not wait for the service's goroutines: they end as soon as they notice. A service may kill
// itself from within a step.
func (s *System) Kill(name string) error {
	return s.forEach(name, runs, func(instance string) error { return s.kill(instance) })
}

func (s *System) kill(service string) error {
	defer s.lock(service)()
	n, err := s.find(service)
	if err != nil {
		return err
	}
	s.remove(n)
	n.life.Kill()
	s.graves.Go(func() { n.bury() })
	return nil
}

// Pause makes a service stand still as SIGSTOP does, as far as a part of a process can: the system accepts connections to it that nobody answers,
// its open connections are neither read nor written, and none of its steps ends. Timers keep running and fire when it resumes. Start resumes it.
func (s *System) Pause(name string) error {
	return s.forEach(name, ticks, func(instance string) error { return s.pause(instance) })
}

func (s *System) pause(service string) error {
	defer s.lock(service)()
	n, err := s.find(service)
	if err != nil {
		return err
	}
	if n.life.Paused() {
		return fmt.Errorf("%s is paused already", service)
	}
	n.life.Pause()
	return nil
}

// Start starts a service that was stopped or killed, at the address that it had, or lets one go on that was paused. A service that was
// started joins its brokers before Start returns; Ready tells when their messages reach it.
func (s *System) Start(ctx context.Context, name string) error {
	return s.forEach(name, awaits, func(instance string) error { return s.start(ctx, instance) })
}

func (s *System) start(ctx context.Context, service string) error {
	defer s.lock(service)()
	n, err := s.find(service)
	if _, gone := errors.AsType[*NotRunningError](err); err != nil && !gone {
		return err
	}
	if err == nil {
		if !n.life.Paused() {
			return fmt.Errorf("%s is running", service)
		}
		n.life.Resume()
		return nil
	}
	l, err := s.bindOne(service)
	if err != nil {
		return err
	}
	if n, err = s.newNode(service, l); err != nil {
		return errors.Join(err, l.http.Close(), l.grpc.Close())
	}
	if n.name != Gateway {
		n.telemetry.Labels.Service()
		if err := n.connect(ctx, s.config); err != nil {
			n.life.Kill()
			n.bury()
			return err
		}
	}
	s.add(n)
	s.serveAll(n)
	return nil
}

// Running tells whether any instance of a service runs here, and whether all of those stand still.
func (s *System) Running(name string) (runs, paused bool) {
	paused = true
	for _, instance := range s.named(name) {
		if n, err := s.find(instance); err == nil {
			runs, paused = true, paused && n.life.Paused()
		}
	}
	return runs, runs && paused
}

// NotRunningError says that a service that was started here does not run.
type NotRunningError struct{ Service string }

// Error names the service and the way out.
func (e *NotRunningError) Error() string { return e.Service + " does not run: start it first" }

// find finds a service that runs.
func (s *System) find(service string) (*node, error) {
	for _, n := range s.running() {
		if n.instance == service {
			return n, nil
		}
	}
	if instances := s.config.instances(); slices.Contains(instances, service) {
		return nil, &NotRunningError{service}
	} else if named, number := splitInstance(service); number > 0 && slices.Contains(s.config.Services, named) {
		return nil, fmt.Errorf("no instance of this process: %w", &vocabulary.UnknownError{What: "instance", Word: service, Known: s.config.InstancesOf(named)})
	}
	return nil, fmt.Errorf("no service of this process: %w", &vocabulary.UnknownError{What: "service", Word: service, Known: s.config.Services})
}

// lock keeps others from stopping or starting a service until the function is called.
func (s *System) lock(service string) (unlock func()) {
	if !slices.Contains(s.config.instances(), service) {
		return func() {} // find tells
	}
	s.mu.Lock()
	control := s.control[service]
	if control == nil {
		control = &sync.Mutex{}
		s.control[service] = control
	}
	s.mu.Unlock()
	control.Lock()
	return control.Unlock
}

// remove makes a service one that does not run.
func (s *System) remove(n *node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.nodes = slices.DeleteFunc(slices.Clone(s.nodes), func(other *node) bool { return other == n })
	if m, ok := n.store.kept.(mortal); ok {
		s.before[n.instance] = m.writes
	}
	if s.keeper != nil && s.keeper == n.keeper {
		s.keeper = nil
	}
}

// bury releases what a killed service held in this process. Nothing of it is sent.
func (n *node) bury() {
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(process.ErrKilled)
	_ = n.httpServer.Shutdown(ctx) // its connections are closed
	_ = n.grpcServer.Shutdown(ctx)
	if n.keeper != nil {
		n.keeper.mailbox.kill()
		n.keeper.mailbox.working.Wait()
	}
	_ = n.close(ctx)
}

// awaitGraves waits until the goroutines of killed services have ended.
func (s *System) awaitGraves(ctx context.Context) error {
	ended := make(chan struct{})
	go func() { s.graves.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("goroutines of killed services still run: %w", context.Cause(ctx))
	}
}
