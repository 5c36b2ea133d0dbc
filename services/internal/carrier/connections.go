package carrier

import (
	"bytes"
	"net"
	"sync"
	"time"
)

const (
	refusalTimeout = time.Second // for a connection to send its request and to read that there is no room for it
	refusalRequest = 4 << 10     // bytes of a request that are read before it is refused
	refusals       = 32          // connections that are being refused at a time: more are closed without a word
)

// LimitConnections lets a listener have at most so many connections at a time. One more is told the refusal, if there is
// any, and closed: it does not wait, and it takes no memory for long.
//
// The refusal comes after the request's header, as HTTP wants it: a client that reads an answer before it has asked
// takes the connection for broken (net/http logs an unsolicited response), and closing a connection with unread bytes
// may take the answer from the client again (RFC 9112, section 9.6).
func LimitConnections(l net.Listener, most int, refusal []byte) net.Listener {
	return &limited{Listener: l, slots: make(chan struct{}, most), refusal: refusal, refusing: make(chan struct{}, refusals)}
}

type limited struct {
	net.Listener
	slots    chan struct{} // one for each open connection
	refusal  []byte
	refusing chan struct{} // one for each that is being refused
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
			l.turnAway(conn)
		}
	}
}

// turnAway refuses a connection beside the next Accept, or closes it when too many are being refused.
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

// refuse answers a request that it does not look at. It ends within refusalTimeout.
func refuse(conn net.Conn, refusal []byte) {
	_ = conn.SetDeadline(time.Now().Add(refusalTimeout))
	request, n := make([]byte, refusalRequest), 0
	for n < len(request) && !bytes.Contains(request[:n], []byte("\r\n\r\n")) {
		k, err := conn.Read(request[n:])
		if n += k; err != nil {
			break
		}
	}
	_, _ = conn.Write(refusal) // the client may have gone
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
