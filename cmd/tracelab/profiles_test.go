package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestServePushesProfiles to a receiver of ours in the place of Pyroscope; what is in a profile, package services tests.
func TestServePushesProfiles(t *testing.T) {
	var pushes atomic.Int64
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && r.URL.Path == "/ingest" && strings.HasPrefix(r.URL.Query().Get("name"), "tracelab{") {
			pushes.Add(1)
		}
	}))
	defer receiver.Close()
	s := start(t, append([]string{"serve", "payment", "--pyroscope", receiver.URL}, anywhere("payment")...)...)
	s.await(t, `(?m)^ready: `)
	if status := s.end(t); status != exitDone || pushes.Load() == 0 {
		t.Errorf("exit status %d, %d profiles pushed: %s", status, pushes.Load(), s)
	}
	if strings.Contains(s.String(), "profile") {
		t.Errorf("it talks of profiles, and all is well: %s", s)
	}
}

// TestServeWithoutItsPyroscope: one that is away is said in the log, and changes nothing else.
func TestServeWithoutItsPyroscope(t *testing.T) {
	t.Parallel()
	s := start(t, append([]string{"serve", "payment", "--pyroscope", "http://127.0.0.1:1"}, anywhere("payment")...)...)
	s.await(t, `(?m)^ready: `)
	began := time.Now()
	if status := s.end(t); status != exitDone || !strings.Contains(s.String(), "profile not pushed: is a Pyroscope there?") {
		t.Errorf("exit status %d: %s", status, s)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the end took %v", took)
	}
	s = start(t, append([]string{"serve", "payment", "--pyroscope", "pyroscope:4040"}, anywhere("payment")...)...)
	if status := s.ended(t); status != exitUsage || !strings.Contains(s.String(), "use a URL such as http://127.0.0.1:4040") {
		t.Errorf("an address that is none: exit status %d: %s", status, s)
	}
}
