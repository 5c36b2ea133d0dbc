package page

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tracelab/internal/testmain"
	"tracelab/lab"
)

// withLab runs the tests, and closes the lab that they share.
type withLab struct{ *testing.M }

// Run closes the lab behind the last test.
func (m withLab) Run() int {
	status := m.M.Run()
	if shared.lab != nil {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := shared.lab.Close(ctx); err != nil {
			_, _ = io.WriteString(os.Stderr, "close the lab: "+err.Error()+"\n")
			return max(status, 1)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	return status
}

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(withLab{m}, testmain.Hops(), goleak.Cleanup(testmain.Exit))
}

// shared is the one lab of this package's tests: a start costs more than most of them.
var shared struct {
	once sync.Once
	lab  *lab.Live
	err  error
}

// sharedLab is a lab of the flow order with an embedded Kafka. Its stream and conditions are those of the test that runs, which clears them.
func sharedLab(t *testing.T) *lab.Live {
	t.Helper()
	shared.once.Do(func() { shared.lab, shared.err = lab.Open(context.Background(), lab.Config{Seed: 1}, 0) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	t.Cleanup(func() {
		if err := shared.lab.SetConditions(lab.Conditions{}); err != nil {
			t.Error(err)
		}
		if err := shared.lab.SetStream(lab.Stream{}); err != nil {
			t.Error(err)
		}
	})
	return shared.lab
}

// browser is a client of a page that is served over loopback.
type browser struct {
	*http.Client
	t      *testing.T
	base   string // http://127.0.0.1:PORT
	server *Server
}

// serve serves a page of a lab, which may be nil, until the test ends.
func serve(t *testing.T, l *lab.Live) *browser {
	t.Helper()
	listener, _, err := Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := New(l, Config{Version: "test"})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	transport := &http.Transport{DialContext: (&net.Dialer{}).DialContext}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		if err := <-ended; err != nil {
			t.Error("serve:", err)
		}
	})
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &browser{Client: client, t: t, base: "http://" + listener.Addr().String(), server: s}
}

// send sends a request with headers as NAME: VALUE lines, and returns the answer with its text.
func (b *browser) send(method, path, body string, headers ...string) (*http.Response, string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), method, b.base+path, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ": ")
		if name == "Host" {
			r.Host = value
			continue
		}
		r.Header.Set(name, value)
	}
	answer, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer, string(text)
}

// get returns a page that is there.
func (b *browser) get(path string) string {
	b.t.Helper()
	answer, text := b.send(http.MethodGet, path, "")
	if answer.StatusCode != http.StatusOK {
		b.t.Fatalf("GET %s: %d %s", path, answer.StatusCode, text)
	}
	return text
}

// post sends a form with the page's token, as a browser without script does; fields are name=value.
func (b *browser) post(path string, fields ...string) (*http.Response, string) {
	b.t.Helper()
	form := url.Values{"token": {b.server.token}}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, "=")
		form.Add(name, value)
	}
	return b.send(http.MethodPost, path, form.Encode())
}

// postDone sends a form that must be taken.
func (b *browser) postDone(path string, fields ...string) {
	b.t.Helper()
	if answer, text := b.post(path, fields...); answer.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("POST %s %q: %d %s", path, fields, answer.StatusCode, text)
	}
}
