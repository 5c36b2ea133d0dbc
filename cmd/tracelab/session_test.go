package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// session is a command that runs until it is stopped.
type session struct {
	stop   context.CancelFunc
	status chan int

	mu      sync.Mutex
	text    bytes.Buffer // both streams
	changed chan struct{}
}

// waitLimit ends a wait for the program: longer than it takes on a machine that is busy with other tests.
const waitLimit = time.Minute

// start runs the program in the background.
func start(t *testing.T, args ...string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{stop: cancel, status: make(chan int, 1), changed: make(chan struct{}, 1)}
	go func() { s.status <- run(ctx, args, nil, s, s) }()
	t.Cleanup(cancel)
	return s
}

func (s *session) Write(text []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.changed <- struct{}{}:
	default:
	}
	return s.text.Write(text)
}

func (s *session) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the program has written what the pattern says, and returns the match and its groups.
func (s *session) await(t *testing.T, pattern string) []string {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	deadline := time.After(waitLimit)
	for {
		if found := wanted.FindStringSubmatch(s.String()); found != nil {
			return found
		}
		select {
		case <-s.changed:
		case status := <-s.status:
			found := wanted.FindStringSubmatch(s.String())
			if found == nil {
				t.Fatalf("ended with %d before it wrote %q: %s", status, pattern, s)
			}
			s.status <- status // for ended
			return found
		case <-deadline:
			t.Fatalf("has not written %q: %s", pattern, s)
		}
	}
}

// end stops the program, as SIGTERM does, and returns its exit status.
func (s *session) end(t *testing.T) int {
	t.Helper()
	s.stop()
	return s.ended(t)
}

func (s *session) ended(t *testing.T) int {
	t.Helper()
	select {
	case status := <-s.status:
		return status
	case <-time.After(waitLimit):
		t.Fatalf("has not ended: %s", s)
		return -1
	}
}

// anywhere lets services listen on free ports; they find each other only when they run in one process.
func anywhere(names ...string) []string {
	var args []string
	for _, name := range names {
		args = append(args, "--http", name+"=127.0.0.1:0", "--grpc", name+"=127.0.0.1:0")
	}
	return args
}

// url is where a service of the session answers HTTP.
func (s *session) url(t *testing.T, service string) string {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + service + ` +(http://\S+)  grpc `).FindStringSubmatch(s.String())
	if found == nil {
		t.Fatalf("no address of %s: %s", service, s)
	}
	return found[1]
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	response, err := oneRequest().Get(url)
	return answer(t, response, err)
}

// place places an order that carries no experiment: it is of the form hybrid.
func place(t *testing.T, gateway string) (status int, body string) {
	t.Helper()
	order := strings.NewReader(`{"customer":"c","sku":"tea-green","quantity":1}`)
	response, err := oneRequest().Post(gateway+"/orders", "application/json", order)
	return answer(t, response, err)
}

// oneRequest is a client that leaves no connection behind.
func oneRequest() *http.Client {
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
}

func answer(t *testing.T, response *http.Response, err error) (status int, body string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err := errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
