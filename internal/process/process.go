// Package process lets a part of this process be killed and paused as a process of its own would be. Others see it over the network
// only, so that is where it happens: a killed part sends nothing more, whatever its goroutines still do, and a paused one sends and
// takes nothing until it goes on.
package process

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
)

// ErrKilled is the error of everything that a killed process still tries.
var ErrKilled = errors.New("the process was killed")

// Listen opens a listener on the network that a process is on.
type Listen func(network, address string) (net.Listener, error)

// Dial connects on the network that a process is on.
type Dial func(ctx context.Context, network, address string) (net.Conn, error)

// Process stands for a process. All of its methods may be called by several goroutines.
type Process struct {
	listen Listen
	dial   Dial
	life   context.Context               // ends with ErrKilled
	end    context.CancelCauseFunc       // ends life
	paused atomic.Pointer[chan struct{}] // closed when the process goes on; nil while it runs

	mu    sync.Mutex // guards what follows, and that nothing is opened once life has ended
	conns map[*conn]struct{}
	ports map[*listener]struct{}
}

// New makes a process that runs.
func New(listen Listen, dial Dial) *Process {
	p := &Process{listen: listen, dial: dial, conns: map[*conn]struct{}{}, ports: map[*listener]struct{}{}}
	p.life, p.end = context.WithCancelCause(context.Background())
	return p
}

// Killed is closed when the process is killed.
func (p *Process) Killed() <-chan struct{} { return p.life.Done() }

// Alive tells whether the process was not killed.
func (p *Process) Alive() bool { return p.life.Err() == nil }

// Kill ends the process as kill -9 does: its ports are closed, its connections reset, and whatever it still tries fails.
func (p *Process) Kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.Alive() {
		return
	}
	p.end(ErrKilled)
	for l := range p.ports {
		_ = l.Listener.Close() // nobody listens any more, whatever it says
	}
	for c := range p.conns {
		c.reset()
	}
	p.ports, p.conns = nil, nil
}

// Pause makes the process stand still, as SIGSTOP does: the system still takes connections for it, and bytes that fit into its buffers,
// and nothing comes back. Time goes on: a timer that ran out meanwhile rings when the process goes on. Unlike a stopped process it still
// computes between two looks at the network; Wait is for places that must stand still, too.
func (p *Process) Pause() {
	on := make(chan struct{})
	p.paused.CompareAndSwap(nil, &on)
}

// Resume lets a paused process go on, as SIGCONT does.
func (p *Process) Resume() {
	if on := p.paused.Swap(nil); on != nil {
		close(*on)
	}
}

// Paused tells whether the process stands still.
func (p *Process) Paused() bool { return p.paused.Load() != nil }

// Wait returns at once while the process runs, and waits while it is paused. It returns ErrKilled once the process was killed.
func (p *Process) Wait() error {
	for on := p.paused.Load(); on != nil; on = p.paused.Load() {
		select {
		case <-*on:
		case <-p.life.Done():
			return ErrKilled
		}
	}
	if !p.Alive() {
		return ErrKilled
	}
	return nil
}

// Context is a context that ends with ErrKilled when the process is killed. The caller calls the function in the end.
func (p *Process) Context(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if !p.Alive() {
		cancel(ErrKilled) // AfterFunc would take a moment
	}
	stop := context.AfterFunc(p.life, func() { cancel(ErrKilled) })
	return ctx, func() { stop(); cancel(nil) }
}
