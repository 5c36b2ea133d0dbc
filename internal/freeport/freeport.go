// Package freeport finds ports for processes that must be told their addresses before they run.
//
// A port that the kernel gives for :0 is of no use there: once it is closed again, the kernel may hand it to any outgoing
// connection before the process has bound it. These ports lie below the range for outgoing connections (from 32768 on Linux,
// from 49152 by IANA's counting), so only another process that asks for that very port can take it.
package freeport

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"sync/atomic"
)

const (
	lowest   = 20000
	highest  = 32000
	attempts = 200
)

// handed counts the ports that this process was given. It is the one variable of the package on purpose: callers who have not bound their
// ports yet must not get the same, and they know nothing of each other.
var handed atomic.Int64

// next returns the port where to look for the next n: after the last ones of this process, whose first one depends on its pid.
func next(n int) int {
	const places = highest - lowest
	const step = 509 // a prime, so that processes with neighboring pids begin far apart
	for {
		first := (os.Getpid()*step + int(handed.Add(int64(n))) - n) % places
		if first <= places-n { // else they would go over the end
			return lowest + first
		}
	}
}

// InARow returns n addresses host:port on 127.0.0.1 with consecutive ports that nobody listens on. They are free when it returns; nothing
// holds them any longer.
func InARow(n int) ([]string, error) {
	if n < 1 || n > (highest-lowest)/2 {
		return nil, fmt.Errorf("%d free ports in a row: ask for 1 to %d", n, (highest-lowest)/2)
	}
	for range attempts {
		if addresses, ok := tryFrom(next(n), n); ok {
			return addresses, nil
		}
	}
	return nil, fmt.Errorf("no %d free ports in a row between %d and %d in %d attempts: end what listens there", n, lowest, highest, attempts)
}

// tryFrom binds n ports from the first on, and releases them.
func tryFrom(first, n int) (addresses []string, ok bool) {
	for port := first; port < first+n; port++ {
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err != nil {
			return nil, false
		}
		defer func() { _ = listener.Close() }() // all at the end, so that none is counted twice
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, true
}
