package brokertest_test

import (
	"errors"
	"testing"

	"tracelab/internal/broker/brokertest"
)

// TestFreePorts: two listeners on port 0 get ports of their own, and each can be reached at its address.
func TestFreePorts(t *testing.T) {
	n := &brokertest.Network{}
	seen := map[string]bool{}
	for range 2 {
		listener, err := n.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if conn, err := listener.Accept(); err == nil {
				_ = conn.Close()
			}
		}()
		at := listener.Addr().String()
		if seen[at] {
			t.Errorf("%s was given twice", at)
		}
		seen[at] = true
		conn, err := n.DialContext(t.Context(), "tcp", at)
		if err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		if err := errors.Join(conn.Close(), listener.Close()); err != nil {
			t.Error(err)
		}
	}
}
