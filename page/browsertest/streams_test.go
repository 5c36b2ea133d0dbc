//go:build browser

package browsertest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"tracelab/internal/testkit"
)

// manyTabs opens more tabs that are seen, each in a window of its own, than Chromium opens connections to a host: each is answered, and stays current.
func manyTabs(t *testing.T, v *visitor) {
	var tabs []*tab
	for range 8 {
		tabs = append(tabs, v.open("/"))
	}
	last := tabs[len(tabs)-1]
	newest := `document.querySelector("#last [id^=last-grpc-]").id`
	before := is[string](last, newest)
	began := time.Now()
	last.click("#place-grpc")
	last.await("the answer in the last tab", fmt.Sprintf("%s !== %q", newest, before))
	t.Logf("tab %d is answered after %v", len(tabs), time.Since(began).Round(time.Millisecond))
	placed := is[string](last, newest)
	for i, x := range tabs {
		x.await(fmt.Sprintf("the new unit in tab %d", i+1), fmt.Sprintf("%s === %q", newest, placed))
		if is[bool](x, `!document.querySelector("#connection").hidden`) {
			t.Errorf("tab %d says that its connection is lost", i+1)
		}
	}
}

// hiddenTab opens two tabs in one window: the one behind has no stream, and is current as soon as it is in front.
func hiddenTab(t *testing.T, v *visitor) {
	behind := v.open("/")
	front := openBeside(t, behind, "/live")
	const closed = `document.hidden && source.readyState === EventSource.CLOSED`
	behind.await("no stream of the tab behind", closed)
	newest := `document.querySelector("#last [id^=last-grpc-]").id`
	before := is[string](behind, newest)
	v.post(t, "/place", url.Values{"form": {"grpc"}})
	front.await("a stream of the tab in front", `!document.hidden && source.readyState === EventSource.OPEN`)
	if is[string](behind, newest) != before {
		t.Error("the tab behind has the new unit: how?")
	}
	behind.front()
	behind.await("what was placed meanwhile", fmt.Sprintf("%s !== %q", newest, before))
	front.await("no stream of the other tab", closed)
}

// mostStreams is how many tabs may hold a stream at the same time.
const mostStreams = 4

// closedTab takes all streams but the one of a tab, and gets that one, too, once the tab is closed.
func closedTab(t *testing.T, v *visitor) {
	x := v.open("/")
	newest := `document.querySelector("#last [id^=last-grpc-]")?.id || ""`
	before := is[string](x, newest)
	v.post(t, "/place", url.Values{"form": {"grpc"}})
	x.await("what its stream brings", fmt.Sprintf("(%s) !== %q", newest, before))
	s := &heldStreams{context: t.Context(), address: v.base + "/events?page=/live", client: &http.Client{Transport: &http.Transport{}}}
	t.Cleanup(s.release)
	for len(s.held) < mostStreams-1 { // those of tabs that were closed before come free meanwhile
		testkit.Await(t, "a stream", longest, s.take)
	}
	testkit.Await(t, "the stream of the tab", longest, func(ctx context.Context) error {
		_ = s.take(ctx) // whether one came is seen below
		if len(s.held) < mostStreams {
			return nil
		}
		s.drop() // for the tab, which asks each second
		return errors.New("there is one stream more than the tab and the others hold")
	})
	x.end()
	testkit.Await(t, "the stream of the tab that was closed", longest, s.take)
	s.release()
	testkit.Await(t, "room for the tabs that come next", longest, s.take)
}

// heldStreams are streams of events that nobody reads.
type heldStreams struct {
	context context.Context // they end with it
	address string
	client  *http.Client
	held    []io.Closer
}

// take opens one more.
func (s *heldStreams) take(context.Context) error {
	request, err := http.NewRequestWithContext(s.context, http.MethodGet, s.address, nil)
	if err != nil {
		return err
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return err
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(answer.Body, first); err != nil || first[0] == ':' { // it says that others hold all streams
		_ = answer.Body.Close() // nothing more is read of it
		return fmt.Errorf("%d streams are held, and one more is none: %s, begins with %q, %w", len(s.held), answer.Status, first, err)
	}
	s.held = append(s.held, answer.Body)
	return nil
}

// drop ends the newest.
func (s *heldStreams) drop() {
	_ = s.held[len(s.held)-1].Close() // nothing is read of it
	s.held = s.held[:len(s.held)-1]
}

// release ends them all.
func (s *heldStreams) release() {
	for _, stream := range s.held {
		_ = stream.Close() // nothing is read of it
	}
	s.held = nil
	s.client.CloseIdleConnections()
}
