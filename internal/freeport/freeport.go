// Package freeport finds ports for processes that must be told their addresses before they run.
//
// A port that the kernel gives for :0 is of no use there: once it is closed again, the kernel may hand it to any outgoing
// connection before the process has bound it. These ports lie below the range for outgoing connections (from 32768 on Linux,
// from 49152 by IANA's counting), so only another process that asks for that very port can take it. Processes of one user that use this package
// share a counter, in a file of the user's cache, and are not given the same ports before all have had their turn.
package freeport

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"tracelab/internal/flock"
)

const (
	lowest   = 20000
	highest  = 32000
	attempts = 200
)

// process is what this process was given. It is the one variable of the package on purpose: callers who have not bound their ports yet must not get
// the same, and they know nothing of each other.
var process struct {
	sync.Mutex     // held by the one that counts: the others of this process do not compete for the file's lock
	handed     int // ports, where there is no counter to share
}

const (
	places = highest - lowest
	// step is a prime, so that counts that begin with neighboring pids begin far apart.
	step = 509
	// counterWithin is how long the counter is waited for. Whoever has it holds it for microseconds, unless the machine lets him wait for a core.
	counterWithin = 10 * time.Second
)

// next returns the port where to look for the next n: after the last ones that anybody was given.
func next(n int) int {
	for {
		if first := reserve(n); first <= places-n { // else they would go over the end
			return lowest + first
		}
	}
}

// reserve reserves n places and returns the first. Where the counter cannot be used, this process counts alone, from a place that its pid names.
func reserve(n int) int {
	process.Lock()
	defer process.Unlock()
	first, err := countOn(n)
	if err != nil {
		first = os.Getpid()*step + process.handed
		process.handed += n
	}
	return first % places
}

// countOn adds n to the counter of this user's processes and returns what it was.
func countOn(n int) (before int, err error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return 0, err
	}
	folder := filepath.Join(cache, "tracelab")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), counterWithin)
	defer cancel()
	counter, err := flock.Wait(ctx, filepath.Join(folder, "ports"))
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, counter.Close()) }() // which unlocks it
	var text [20]byte
	length, _ := counter.ReadAt(text[:], 0) // the end of the file is no mistake
	if before, err = strconv.Atoi(string(text[:length])); err != nil || before < 0 {
		before = os.Getpid() * step // nothing is in it, or nothing of ours
	}
	if err := counter.Truncate(0); err != nil {
		return 0, err
	}
	_, err = counter.WriteAt([]byte(strconv.Itoa((before+n)%places)), 0)
	return before, err
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
