// Package wiretap keeps what clients write on their connections, so that tests compare headers with what a proxy in between would see.
package wiretap

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// Dial opens a connection.
type Dial = func(ctx context.Context, network, address string) (net.Conn, error)

// Tap listens to the connections of all dials that it was put before. The zero value has heard nothing.
type Tap struct {
	mu    sync.Mutex
	conns []*conn
}

// conn is a connection that the tap listens to.
type conn struct {
	net.Conn
	tap     *Tap
	address string
	sent    bytes.Buffer
}

// Write writes, and lets the tap have it.
func (c *conn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	c.sent.Write(p[:n])
	return n, err
}

// Before is a dial whose connections the tap listens to.
func (t *Tap) Before(dial Dial) Dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		opened, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		c := &conn{Conn: opened, tap: t, address: address}
		t.conns = append(t.conns, c)
		return c, nil
	}
}

// Sent is what was written on each connection so far, in the order in which they were opened, for those whose address the function wants; nil: all.
func (t *Tap) Sent(wants func(address string) bool) [][]byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all [][]byte
	for _, c := range t.conns {
		if wants == nil || wants(c.address) {
			all = append(all, bytes.Clone(c.sent.Bytes()))
		}
	}
	return all
}

// IsHTTP2 tells whether a connection began as HTTP/2 does, as those of gRPC do.
func IsHTTP2(sent []byte) bool { return bytes.HasPrefix(sent, []byte(http2.ClientPreface)) }

// HTTP are the headers of the requests over HTTP/1 on a connection. An error is for what is none; the requests before it are returned, too.
func HTTP(sent []byte) ([]http.Header, error) {
	var requests []http.Header
	reader := bufio.NewReader(bytes.NewReader(sent))
	for {
		r, err := http.ReadRequest(reader)
		if errors.Is(err, io.EOF) {
			return requests, nil
		}
		if err != nil {
			return requests, err
		}
		requests = append(requests, r.Header)
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return requests, err
		}
	}
}

// GRPC are the metadata of the calls on a connection, out of their HTTP/2 frames; a frame that is not whole yet is left out.
func GRPC(sent []byte) ([]http.Header, error) {
	var calls []http.Header
	framer := http2.NewFramer(nil, bytes.NewReader(sent[min(len(sent), len(http2.ClientPreface)):]))
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	for {
		frame, err := framer.ReadFrame()
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return calls, nil
		}
		if err != nil {
			return calls, err
		}
		if headers, ok := frame.(*http2.MetaHeadersFrame); ok {
			call := http.Header{}
			for _, field := range headers.Fields {
				call.Add(field.Name, field.Value)
			}
			calls = append(calls, call)
		}
	}
}
