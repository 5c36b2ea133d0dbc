package redial_test

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/connectivity"
	"google.golang.org/grpc/credentials/insecure"

	"tracelab/journey/source/redial"
)

// TestAServerIsTriedAgainWithinASecond has a server away for five minutes, in the time of a bubble.
func TestAServerIsTriedAgainWithinASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var tries []time.Time
		refuse := func(context.Context, string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			tries = append(tries, time.Now())
			return nil, errors.New("refused")
		}
		conn, err := grpc.NewClient("passthrough:///server", grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(refuse), redial.Option())
		if err != nil {
			t.Fatal(err)
		}
		for began := time.Now(); time.Since(began) < 5*time.Minute; time.Sleep(10 * time.Millisecond) {
			if conn.GetState() == connectivity.Idle {
				conn.Connect()
			}
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		for i := 1; i < len(tries); i++ {
			if pause := tries[i].Sub(tries[i-1]); pause > time.Second {
				t.Errorf("try %d came %v after the one before", i, pause)
			}
		}
		if len(tries) < 300 || len(tries) > 1000 {
			t.Errorf("%d tries in five minutes", len(tries))
		}
	})
}
