//go:build browser

package browsertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	"tracelab/internal/testkit"
)

// closedStreams opens and closes more streams than the server has room for: one that does not end would take the room of the next.
func closedStreams(_ *testing.T, v *visitor) {
	x := v.open("/")
	x.await("streams that are opened and closed", `(async () => {
		for (let i = 0; i < 80; i++) {
			await new Promise((done, failed) => {
				const s = new EventSource("/events?page=/live");
				s.addEventListener("hello", () => { s.close(); done(); });
				s.addEventListener("error", () => { s.close(); failed(new Error("stream " + i + " is refused")); });
			});
		}
		return true;
	})()`)
}

// mostStreams is how many tabs may have live parts at the same time.
const mostStreams = 32

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
	if s.take(t.Context()) == nil {
		t.Fatalf("the tab has a stream, and there are %d others: want at most %d in all", len(s.held), mostStreams)
	}
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
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close() // its status says enough
		return fmt.Errorf("%d streams are held, and one more is refused: %s", len(s.held), answer.Status)
	}
	s.held = append(s.held, answer.Body)
	return nil
}

// release ends them all.
func (s *heldStreams) release() {
	for _, stream := range s.held {
		_ = stream.Close() // nothing is read of it
	}
	s.held = nil
	s.client.CloseIdleConnections()
}
