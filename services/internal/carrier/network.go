// Package transport is how an order travels between services, as bytes: over HTTP, gRPC and Kafka, each with the stock
// instrumentation around it. Above it nobody knows what a header, a status code, a topic's partition or an offset is.
package carrier

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Limits of every server and client here. A body is an order, so it is small.
const (
	MaxBody       = 64 << 10         // bytes of a request
	maxAnswer     = 64 << 20         // bytes of an answer: a run's list of orders is the largest
	headerTimeout = 2 * time.Second  // from a connection's first byte to the end of its headers
	readTimeout   = 5 * time.Second  // of a whole request
	idleTimeout   = 60 * time.Second // of a connection between requests
)

// Network is where servers listen and clients dial: TCP on loopback, or an in-memory network in virtual time.
type Network struct {
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// TCP is the operating system's network.
func TCP() Network {
	var dialer net.Dialer
	return Network{Listen: net.Listen, Dial: dialer.DialContext}
}

// Bind listens on an address, or says in one line what is in the way.
func (n Network) Bind(what, address string) (net.Listener, error) {
	listener, err := n.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s cannot listen on %s: the port is in use: stop what listens there or choose another address: %w", what, address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen on %s: %w", what, address, err)
	}
	return listener, nil
}
