package carrier

import (
	"net"
	"sync"
	"time"
)

// refusalTimeout is how long a connection may take to read that there is no room for it.
const refusalTimeout = time.Second

// LimitConnections lets a listener have at most so many connections at a time. One more is told the refusal, if there is
// any, and closed: it does not wait, and it takes no memory for long.
func LimitConnections(l net.Listener, most int, refusal []byte) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, most), refusal: refusal}
}

type limited struct {
	net.Listener
	slots   chan struct{} // one for each open connection
	refusal []byte
}

// Accept waits for a connection that there is room for.
func (l *limited) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.slots <- struct{}{}:
			return &counted{Conn: conn, free: sync.OnceFunc(func() { <-l.slots })}, nil
		default:
			l.refuse(conn)
		}
	}
}

// refuse does not read the request. It takes no goroutine: a short text fits into the connection's buffer.
func (l *limited) refuse(conn net.Conn) {
	if len(l.refusal) > 0 {
		_ = conn.SetDeadline(time.Now().Add(refusalTimeout))
		_, _ = conn.Write(l.refusal) // the client may have gone
	}
	_ = conn.Close()
}

// counted is a connection that has a slot.
type counted struct {
	net.Conn
	free func()
}

// Close gives the slot back.
func (c *counted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
