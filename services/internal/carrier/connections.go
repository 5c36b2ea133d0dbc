package carrier

import (
	"bytes"
	"net"
	"sync"
	"time"
)

const (
	refusalTimeout = time.Second // for a connection to send its request and to read the refusal
	refusalRequest = 4 << 10     // how many bytes of a request are read before it is refused
	refusals       = 32          // how many connections are refused at a time: more are closed without an answer
)

// LimitConnections limits a listener to so many connections at a time. Another one gets the refusal, unless it is empty, and
// is closed: it does not wait, so it takes little memory.
//
// The refusal is sent after the request's header, as HTTP wants it: a client that reads an answer before it has sent a
// request takes the connection for broken (net/http logs an unsolicited response), and closing a connection with unread bytes
// may lose the answer (RFC 9112, section 9.6).
func LimitConnections(l net.Listener, most int, refusal []byte) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, most), refusal: refusal, refusing: make(chan struct{}, refusals)}
}

type limited struct {
	net.Listener
	slots    chan struct{} // one for each open connection
	refusal  []byte
	refusing chan struct{} // one for each connection that is being refused
}

// Accept waits for a connection and a slot for it.
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
			l.turnAway(conn)
		}
	}
}

// turnAway refuses a connection in the background, or closes it when too many are being refused.
func (l *limited) turnAway(conn net.Conn) {
	if len(l.refusal) > 0 {
		select {
		case l.refusing <- struct{}{}:
			go func() {
				refuse(conn, l.refusal)
				<-l.refusing
			}()
			return
		default:
		}
	}
	_ = conn.Close()
}

// refuse answers a request, whatever it is. It ends within refusalTimeout.
func refuse(conn net.Conn, refusal []byte) {
	_ = conn.SetDeadline(time.Now().Add(refusalTimeout))
	request, n := make([]byte, refusalRequest), 0
	for n < len(request) && !bytes.Contains(request[:n], []byte("\r\n\r\n")) {
		k, err := conn.Read(request[n:])
		if n += k; err != nil {
			break
		}
	}
	_, _ = conn.Write(refusal) // a client that has gone needs no answer
	_ = conn.Close()
}

// counted is a connection that has a slot.
type counted struct {
	net.Conn
	free func()
}

// Close closes the connection and frees its slot.
func (c *counted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
