package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
)

// Port is a listener of a part that is ended and started again behind its back: whoever accepts on it sees nothing of that but connections
// that end. It keeps its address.
type Port struct {
	listen  Listen
	address net.Addr
	closing context.Context
	close   context.CancelFunc

	mu      sync.Mutex
	process *Process
	inner   net.Listener
	changed chan struct{} // closed when inner changes
}

// NewPort listens on an address.
func NewPort(listen Listen, network, address string) (*Port, error) {
	p := &Port{listen: listen, changed: make(chan struct{})}
	p.closing, p.close = context.WithCancel(context.Background())
	if err := p.open(network, address); err != nil {
		p.close()
		return nil, err
	}
	p.address = p.inner.Addr()
	return p, nil
}

// open listens in the name of a new process. The caller holds the lock, or is alone.
func (p *Port) open(network, address string) error {
	process := New(p.listen, func(context.Context, string, string) (net.Conn, error) { return nil, errors.ErrUnsupported })
	inner, err := process.Listen(network, address)
	if err != nil {
		return err
	}
	p.process, p.inner = process, inner
	return nil
}

// Addr is where it listens, also while it is down.
func (p *Port) Addr() net.Addr { return p.address }

// Accept waits for a connection, and for the port to be up again.
func (p *Port) Accept() (net.Conn, error) {
	for {
		p.mu.Lock()
		inner, changed := p.inner, p.changed
		p.mu.Unlock()
		if inner != nil {
			conn, err := inner.Accept()
			if err == nil {
				return conn, nil
			}
			if p.closing.Err() != nil {
				return nil, net.ErrClosed
			}
		}
		select {
		case <-changed:
		case <-p.closing.Done():
			return nil, net.ErrClosed
		}
	}
}

// Close closes the port for good.
func (p *Port) Close() error {
	p.close()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inner == nil {
		return nil
	}
	p.process.Resume()
	return p.inner.Close()
}

// Down closes the port and resets its connections.
func (p *Port) Down() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inner == nil {
		return errors.New("it does not run: start it first")
	}
	p.inner = nil
	p.process.Kill()
	p.change()
	return nil
}

// Pause makes the port and its connections stand still.
func (p *Port) Pause() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.inner == nil:
		return errors.New("it does not run: start it first")
	case p.process.Paused():
		return errors.New("it is paused already")
	}
	p.process.Pause()
	return nil
}

// Up lets a paused port go on, or opens one that is down again, at its address.
func (p *Port) Up() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inner != nil {
		if !p.process.Paused() {
			return errors.New("it is running")
		}
		p.process.Resume()
		return nil
	}
	if err := p.open("tcp", p.address.String()); err != nil {
		return fmt.Errorf("listen on %s again: %w", p.address, err)
	}
	p.change()
	return nil
}

// change tells those who wait. The caller holds the lock.
func (p *Port) change() {
	close(p.changed)
	p.changed = make(chan struct{})
}
