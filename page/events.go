package page

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tracelab/lab"
)

const (
	// eventsApart is the shortest time between two events of a stream.
	eventsApart = 200 * time.Millisecond
	// lookAgain is how often the parts are made anew when nothing has changed: what they say of the last seconds does.
	lookAgain = time.Second
	// heartbeat is how often a stream says something, so that a broken connection is found.
	heartbeat = 15 * time.Second
	// eventTime bounds the writing of one event: a tab that takes none for so long has its stream ended, and connects anew.
	eventTime = 10 * time.Second
	// retryAfter is how long a browser waits before it connects anew.
	retryAfter = time.Second
	// mostStreams is how many tabs may hold a stream at the same time. A browser opens six connections to a host, over all of its tabs and windows:
	// the other two are for pages, clicks, and tabs that hold none.
	mostStreams = 4
)

// events streams the live parts of a page: all of them at first, then those that change. A tab that is too slow misses states in between only.
// While as many tabs as may hold a stream do, any other one is given all parts once: its browser connects anew and asks again.
func (s *Server) events(w http.ResponseWriter, r *http.Request) {
	at, err := url.Parse(r.URL.Query().Get("page"))
	if err != nil || at.Host != "" || at.Path != s.sectionOf(at.Path).Path && !strings.HasPrefix(at.Path, s.sectionOf(at.Path).Path+"/") {
		s.refuse(w, r, http.StatusBadRequest, errors.New("page: name a page such as /live"))
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	t := &stream{server: s, to: w, out: http.NewResponseController(w), at: at, section: s.sectionOf(at.Path), sent: map[string]template.HTML{}}
	if err := t.out.SetReadDeadline(time.Time{}); err != nil {
		s.config.Logger.Debug("a stream keeps the time limit of requests", "error", err)
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
		t.follow(r.Context())
	default:
		t.glance()
	}
}

// stream is one tab's stream of events.
type stream struct {
	server  *Server
	to      http.ResponseWriter
	out     *http.ResponseController
	at      *url.URL
	section section
	sent    map[string]template.HTML
	id      int
	wrote   time.Time
}

// hello begins a stream: it names the start of the program and its lab.
func (t *stream) hello() error {
	return t.write(fmt.Sprintf("retry: %d\nevent: hello\ndata: %s\n\n", retryAfter.Milliseconds(), t.server.stamp()))
}

// glance sends what there is now.
func (t *stream) glance() {
	if t.write(": other tabs hold all streams; come again\n\n") != nil || t.hello() != nil {
		return
	}
	if l := t.server.Lab(); l != nil {
		_ = t.send(l) // the tab connects anew either way
	}
}

// follow sends events until the tab is closed, the server ends, or nothing can be written any more.
func (t *stream) follow(ctx context.Context) {
	_, first, _ := t.server.now() // before the stamp: a lab that comes in between is not missed
	if t.hello() != nil {
		return
	}
	for {
		l, other, _ := t.server.now()
		if other != first {
			_ = t.write("event: reload\ndata: the lab has changed\n\n") // the tab connects anew either way
			return
		}
		var changed <-chan struct{}
		if l != nil {
			changed = l.Changed() // before the snapshot: what changes after it is not missed
			if t.send(l) != nil {
				return
			}
		}
		if time.Since(t.wrote) >= heartbeat && t.write(": still here\n\n") != nil {
			return
		}
		if !t.wait(ctx, changed, other) {
			return
		}
	}
}

// wait waits for the time of the next look; it returns false when the stream ends.
func (t *stream) wait(ctx context.Context, changed, other <-chan struct{}) bool {
	return t.pause(ctx, eventsApart, nil, nil) && t.pause(ctx, lookAgain, changed, other)
}

// pause waits for a time, or until one of two channels is closed; it returns false when the stream ends.
func (t *stream) pause(ctx context.Context, most time.Duration, changed, other <-chan struct{}) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.server.ended:
		return false
	case <-changed:
	case <-other:
	case <-timer.C:
	}
	return true
}

// send sends the parts that differ from what the tab has.
func (t *stream) send(l *lab.Live) error {
	parts := t.server.parts(l, t.section, t.at)
	maps.DeleteFunc(parts, func(id string, html template.HTML) bool { before, sent := t.sent[id]; return sent && before == html })
	if len(parts) == 0 {
		return nil
	}
	var data bytes.Buffer
	encoder := json.NewEncoder(&data)
	encoder.SetEscapeHTML(false) // it is read as JSON only; a line's end is escaped either way
	if err := encoder.Encode(parts); err != nil {
		return err
	}
	maps.Copy(t.sent, parts)
	t.id++
	return t.write(fmt.Sprintf("id: %d\nevent: parts\ndata: %s\n", t.id, data.Bytes())) // the encoder ends the line
}

// write writes an event, within its time.
func (t *stream) write(event string) error {
	if err := t.out.SetWriteDeadline(time.Now().Add(eventTime)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := t.to.Write([]byte(event)); err != nil {
		return err
	}
	t.wrote = time.Now()
	return t.out.Flush()
}

// parts are the live parts of a page: those of its section, and the problems that every page shows.
func (s *Server) parts(l *lab.Live, of section, at *url.URL) map[string]template.HTML {
	snapshot := l.Snapshot()
	parts := map[string]template.HTML{"problems": s.fragment("layout.html", "problems", snapshot.Problems)}
	if of.fragments != nil {
		maps.Copy(parts, of.fragments(l, snapshot, at))
	}
	return parts
}

// wantsJSON tells whether the page's script sent a request.
func wantsJSON(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "application/json")
}
