package services

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
)

// Network is where services listen and dial: TCP on loopback, or an in-memory network in virtual time.
type Network struct {
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// TCP is the operating system's network.
func TCP() Network {
	var dialer net.Dialer
	return Network{Listen: net.Listen, Dial: dialer.DialContext}
}

// bind listens on an address, or says in one line what is in the way.
func (n Network) bind(what, address string) (net.Listener, error) {
	listener, err := n.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s cannot listen on %s: the port is in use: stop what listens there or choose another address: %w", what, address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s cannot listen on %s: %w", what, address, err)
	}
	return listener, nil
}
