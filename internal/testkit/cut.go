package testkit

import (
	"net"
	"sync"
)

// Cuttable is a network whose connections a test cuts. The zero value listens on TCP.
type Cuttable struct {
	mu        sync.Mutex
	listeners []*cutListener
}

// Listen listens on an address. It has the signature of net.Listen.
func (c *Cuttable) Listen(network, address string) (net.Listener, error) {
	inner, err := net.Listen(network, address)
	if err != nil {
		return nil, err
	}
	l := &cutListener{Listener: inner, conns: map[net.Conn]struct{}{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listeners = append(c.listeners, l)
	return l, nil
}

// Cut closes every connection that the nth listener has accepted, from 0 on, and returns how many there were.
func (c *Cuttable) Cut(nth int) int {
	c.mu.Lock()
	l := c.listeners[nth]
	c.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.conns)
	for conn := range l.conns {
		_ = conn.(*cutConn).Conn.Close()
	}
	clear(l.conns)
	return n
}

// cutListener notes the connections that it accepts.
type cutListener struct {
	net.Listener
	mu    sync.Mutex
	conns map[net.Conn]struct{}
}

// Accept waits for a connection.
func (l *cutListener) Accept() (net.Conn, error) {
	inner, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	conn := &cutConn{inner, l}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = struct{}{}
	return conn, nil
}

// cutConn is a connection that leaves its listener's list when it is closed.
type cutConn struct {
	net.Conn
	of *cutListener
}

// Close closes the connection.
func (c *cutConn) Close() error {
	c.of.mu.Lock()
	delete(c.of.conns, c)
	c.of.mu.Unlock()
	return c.Conn.Close()
}
