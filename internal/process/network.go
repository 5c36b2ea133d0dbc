package process

import (
	"context"
	"errors"
	"net"
)

// Listen listens on an address in the name of the process.
func (p *Process) Listen(network, address string) (net.Listener, error) {
	if err := p.Wait(); err != nil {
		return nil, err
	}
	inner, err := p.listen(network, address)
	if err != nil {
		return nil, err
	}
	l := &listener{inner, p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.Alive() {
		_ = inner.Close()
		return nil, ErrKilled
	}
	p.ports[l] = struct{}{}
	return l, nil
}

// Dial connects in the name of the process.
func (p *Process) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	if err := p.Wait(); err != nil {
		return nil, err
	}
	inner, err := p.dial(ctx, network, address)
	if waited := p.Wait(); err == nil && waited != nil {
		_ = inner.Close()
		err = waited
	}
	if err != nil {
		if _, ok := errors.AsType[*net.OpError](err); !ok { // clients tell by it that nothing was sent
			err = &net.OpError{Op: "dial", Net: network, Err: err}
		}
		return nil, err
	}
	return p.own(inner)
}

// own makes a connection one of the process.
func (p *Process) own(inner net.Conn) (net.Conn, error) {
	c := &conn{inner, p}
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.Alive() {
		c.reset()
		return nil, ErrKilled
	}
	p.conns[c] = struct{}{}
	return c, nil
}

// listener is a port of a process.
type listener struct {
	net.Listener
	process *Process
}

// Accept waits for a connection, and as long as the process stands still.
func (l *listener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if waited := l.process.Wait(); waited != nil {
		if err == nil {
			_ = inner.Close()
		}
		return nil, waited
	}
	if err != nil {
		return nil, err
	}
	return l.process.own(inner)
}

// Close closes the port.
func (l *listener) Close() error {
	l.process.mu.Lock()
	defer l.process.mu.Unlock()
	delete(l.process.ports, l)
	return l.Listener.Close()
}

// conn is a connection of a process.
type conn struct {
	net.Conn
	process *Process
}

// Read reads. What arrives while the process stands still is read when it goes on.
func (c *conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if waited := c.process.Wait(); waited != nil {
		return 0, waited
	}
	return n, err
}

// Write writes when the process runs.
func (c *conn) Write(b []byte) (int, error) {
	if err := c.process.Wait(); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Close closes the connection. A process that stands still closes it when it goes on.
func (c *conn) Close() error {
	_ = c.process.Wait() // one that was killed has closed it
	c.process.mu.Lock()
	delete(c.process.conns, c)
	c.process.mu.Unlock()
	return c.Conn.Close()
}

// reset ends the connection without a word: the other side gets "connection reset by peer".
func (c *conn) reset() {
	if tcp, ok := c.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = c.Conn.Close()
}
