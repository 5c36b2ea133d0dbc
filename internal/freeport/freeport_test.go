package freeport_test

import (
	"net"
	"strconv"
	"sync"
	"testing"

	"tracelab/internal/freeport"
)

func TestPortsAreFreeAndInARow(t *testing.T) {
	addresses, err := freeport.InARow(5)
	if err != nil {
		t.Fatal(err)
	}
	before := 0
	for _, address := range addresses {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Errorf("%s is not free: %v", address, err)
			continue
		}
		defer func() { _ = listener.Close() }()
		_, text, _ := net.SplitHostPort(address)
		port, _ := strconv.Atoi(text)
		if before != 0 && port != before+1 {
			t.Errorf("%v are not in a row", addresses)
		}
		if port < 20000 || port > 32000 {
			t.Errorf("port %d may be given to outgoing connections", port)
		}
		before = port
	}
	if len(addresses) != 5 {
		t.Errorf("%d addresses, want 5", len(addresses))
	}
}

func TestSenselessCountsAreRefused(t *testing.T) {
	for _, n := range []int{-1, 0, 7000} {
		if addresses, err := freeport.InARow(n); err == nil {
			t.Errorf("%d ports: %v", n, addresses)
		}
	}
}

// ownCounter lets this process, and those that it starts, count in a folder of the test: others would take them around the end while they count.
func ownCounter(t *testing.T, folder string) {
	t.Helper()
	t.Setenv("HOME", folder)
	t.Setenv("XDG_CACHE_HOME", folder)
}

// TestNobodyGetsTheSamePorts takes most of the ports, so that it goes over their end for most pids. Nobody has bound any of them yet.
func TestNobodyGetsTheSamePorts(t *testing.T) {
	ownCounter(t, t.TempDir())
	var mu sync.Mutex
	seen := map[string]bool{}
	var group sync.WaitGroup
	for range 20 {
		group.Go(func() {
			for range 60 {
				addresses, err := freeport.InARow(7)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				for _, a := range addresses {
					if seen[a] {
						t.Errorf("%s was given twice", a)
					}
					seen[a] = true
				}
				mu.Unlock()
			}
		})
	}
	group.Wait()
}
