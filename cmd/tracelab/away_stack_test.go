//go:build stack

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tracelab/internal/postgres/postgrestest"
	"tracelab/otelamqp/amqptest"
)

// awaySums are the sums in a run's JSON.
type awaySums struct {
	Dir      string
	Problems []string
	Forms    map[string]struct {
		Orders struct {
			Placed, Accepted, Refused, Unknown, Lost, Completed, Failed, Pending, Answered, Errors, Unanswered int
		}
	}
	Spans struct{ Started, Exported, Dropped int64 }
}

// TestWhatDiesInMidRunIsNamed: a RabbitMQ or a store that goes away in mid-run for good is named, the run ends within its timeouts with its report, and
// its sums hold.
func TestWhatDiesInMidRunIsNamed(t *testing.T) {
	t.Parallel()
	rabbit := &amqptest.Broker{}
	t.Cleanup(rabbit.Close)
	address, err := rabbit.Listen()
	if err != nil {
		t.Fatal(err)
	}
	server, store := postgrestest.Own(t)
	for name, c := range map[string]struct {
		flags string
		die   func() error
		want  string
	}{
		"rabbitmq": {"--rabbitmq " + address + " --forms grpc,rabbitmq", func() error { rabbit.Close(); return nil }, "the RabbitMQ at " + address + " is away"},
		"store": {"--store " + store.URL() + " --forms grpc,kafka", func() error {
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			defer cancel()
			return server.Stop(ctx, io.Discard)
		}, " at " + store.Address},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel() // they wait
			var report, talk bytes.Buffer
			died := make(chan error, 1)
			var once sync.Once
			spans := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if r.URL.Path == "/v1/traces" { // the first answers have come, however long the start took
					once.Do(func() { go func() { died <- c.die() }() })
				}
			}))
			defer spans.Close()
			args := strings.Fields("run --format json --orders 60 --rate 60 --warm-up 0 --timeout 2s --deadline 2s --otlp " + spans.URL + " --out " + t.TempDir() + " " + c.flags)
			began := time.Now()
			status := run(t.Context(), args, nil, &report, &talk)
			once.Do(func() { died <- errors.New("no order was placed") })
			if err := <-died; err != nil {
				t.Fatalf("%v: exit status %d: %s", err, status, talk.String())
			}
			if took := time.Since(began); took > 2*time.Minute { // on a busy machine; else about 25 s
				t.Errorf("ended after %v", took)
			}
			var sums awaySums
			if err := json.Unmarshal(report.Bytes(), &sums); err != nil || status != exitNotSo {
				t.Fatalf("exit status %d, %v: %s", status, err, talk.String())
			}
			if !strings.Contains(strings.Join(sums.Problems, "\n"), c.want) {
				t.Errorf("problems %q, want %q", sums.Problems, c.want)
			}
			for form, f := range sums.Forms {
				a := f.Orders
				if a.Placed != a.Accepted+a.Refused+a.Unknown+a.Lost || a.Accepted != a.Completed+a.Failed+a.Pending || a.Placed != a.Answered+a.Errors+a.Unanswered {
					t.Errorf("%s: the accounts do not balance: %+v", form, a)
				}
			}
			if s := sums.Spans; s.Started != s.Exported+s.Dropped {
				t.Errorf("spans: %+v", s)
			}
			if _, err := os.Stat(filepath.Join(sums.Dir, "run.json")); err != nil {
				t.Error(err)
			}
		})
	}
}
