package page

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
)

// tab is a tab that follows the events of a page.
type tab struct {
	t      *testing.T
	close  context.CancelFunc
	events chan [2]string // kind and data
}

// follow opens a tab of the first page; it is closed when the test ends.
func (b *browser) follow() *tab {
	b.t.Helper()
	ctx, cancel := context.WithCancel(b.t.Context())
	b.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, b.base+"/events?page=/", nil)
	if err != nil {
		b.t.Fatal(err)
	}
	answer, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		b.t.Fatalf("%d %s", answer.StatusCode, answer.Header.Get("Content-Type"))
	}
	follower := &tab{b.t, cancel, make(chan [2]string)}
	go follower.read(ctx, answer)
	return follower
}

func (f *tab) read(ctx context.Context, answer *http.Response) {
	defer close(f.events)
	defer func() { _ = answer.Body.Close() }()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	kind := ""
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), ": ")
		switch name {
		case "event":
			kind = value
		case "data":
			select {
			case f.events <- [2]string{kind, value}:
			case <-ctx.Done():
				return
			}
		}
	}
}

// await returns the data of the next event of a kind.
func (f *tab) await(kind string) string {
	f.t.Helper()
	late := time.After(soon)
	for {
		select {
		case event, open := <-f.events:
			if !open {
				f.t.Fatalf("the stream ended before an event %s", kind)
			}
			if event[0] == kind {
				return event[1]
			}
		case <-late:
			f.t.Fatalf("no event %s came", kind)
		}
	}
}

// parts returns the parts of the next event.
func (f *tab) parts() map[string]string {
	f.t.Helper()
	var parts map[string]string
	if err := json.Unmarshal([]byte(f.await("parts")), &parts); err != nil {
		f.t.Fatal(err)
	}
	return parts
}

// TestEvents follows a page in two tabs: each gets all parts at first, and then what changes; one that was away gets all of them again.
func TestEvents(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	first, second := b.follow(), b.follow()
	for _, f := range []*tab{first, second} {
		if start := f.await("hello"); !strings.HasPrefix(start, b.server.start) {
			t.Errorf("hello %q", start)
		}
		if parts := f.parts(); parts["last"] == "" || parts["square"] == "" || parts["stream-now"] == "" {
			t.Errorf("the first event has no part for some element: %q", parts)
		}
	}
	b.postDone("/stream", "do=start", "rate=1", "form=grpc")
	var seen []string
	for _, f := range []*tab{first, second} {
		html := ""
		for html == "" { // other parts may change before
			html = f.parts()["stream-now"]
		}
		seen = append(seen, html)
	}
	if seen[0] != seen[1] || !strings.Contains(seen[0], "1 orders/s") {
		t.Errorf("the tabs see %q", seen)
	}
	first.close()
	second.close()
	testkit.Await(t, "closed tabs end their streams", soon, func(context.Context) error {
		if n := len(b.server.streams); n > 0 {
			return fmt.Errorf("%d streams", n)
		}
		return nil
	})
	if parts := b.follow().parts(); parts["stream-now"] != seen[0] || parts["last"] == "" {
		t.Errorf("who comes back has missed something: %q", parts)
	}
}

// TestAPageGoesOnWhenItsLabIsThere follows a page from before the lab's start, and when the start fails.
func TestAPageGoesOnWhenItsLabIsThere(t *testing.T) {
	b := serve(t, nil)
	follower := b.follow()
	follower.await("hello")
	b.server.Use(sharedLab(t))
	follower.await("reload")
	if text := b.get("/"); !strings.Contains(text, "Place one in every form") {
		t.Errorf("the page of the lab: %s", text)
	}
	follower = b.follow()
	follower.await("hello")
	b.server.Fail(fmt.Errorf("the Kafka at <nowhere> is away"))
	follower.await("reload")
	if text := b.get("/live"); !strings.Contains(text, "did not start") || !strings.Contains(text, "the Kafka at &lt;nowhere&gt; is away") {
		t.Errorf("the page of no lab: %s", text)
	}
}

// TestStreamsAreBounded opens as many tabs as may hold a stream, and one more: that one is given all parts, and gets a stream once another tab is closed.
func TestStreamsAreBounded(t *testing.T) {
	b := serve(t, sharedLab(t))
	var tabs []*tab
	for range mostStreams {
		tabs = append(tabs, b.follow())
	}
	for range 2 { // it leaves no trace
		answer, text := b.send(http.MethodGet, "/events?page=/", "")
		for _, want := range []string{": other tabs hold all streams", "retry: 1000", "data: " + b.server.stamp(), `"square":`, `"stream-now":`} {
			if !strings.Contains(text, want) {
				t.Errorf("one more: %d, no %q in %.500s", answer.StatusCode, want, text)
			}
		}
	}
	tabs[0].close()
	testkit.Await(t, "the closed tab's stream", soon, func(context.Context) error {
		if n := len(b.server.streams); n == mostStreams {
			return fmt.Errorf("%d streams", n)
		}
		return nil
	})
	next := b.follow()
	next.parts()
	b.postDone("/stream", "do=start", "rate=1", "form=grpc")
	next.parts() // it ends no more
	b.postDone("/stream", "do=stop")
}

// stuck is a tab that takes nothing: a write returns when its deadline has come.
type stuck struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

func (w *stuck) SetWriteDeadline(at time.Time) error { w.deadline = at; return nil }

func (w *stuck) Write([]byte) (int, error) {
	time.Sleep(time.Until(w.deadline))
	return 0, os.ErrDeadlineExceeded
}

// TestHeartbeatsAndStuckTabs looks at a minute of a stream without a lab: it says that it is there, and ends when nobody takes that.
func TestHeartbeatsAndStuckTabs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := New(nil, Config{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/events?page=/live", nil)
		idle := httptest.NewRecorder()
		s.events(idle, r)
		if n := strings.Count(idle.Body.String(), ": still here"); n < 3 || n > 4 {
			t.Errorf("%d heartbeats in a minute: %q", n, idle.Body)
		}
		begin := time.Now()
		s.events(&stuck{ResponseRecorder: httptest.NewRecorder()}, r.WithContext(t.Context()))
		if took := time.Since(begin); took != eventTime {
			t.Errorf("a tab that takes nothing kept its stream for %v, want %v", took, eventTime)
		}
	})
}
