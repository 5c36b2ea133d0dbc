package page

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// TestJourneysAreFilteredAndFolded lists more journeys than a page shows.
func TestJourneysAreFilteredAndFolded(t *testing.T) {
	l := sharedLab(t)
	var lines []lab.JourneyLine
	for n := range 200 {
		line := lab.JourneyLine{Key: lab.UnitKey{Form: services.Kafka, Number: n}, State: lab.StateCompleted, Placed: time.Unix(0, 0)}
		if n%2 == 0 {
			line.Key.Form = services.GRPC
		}
		if n%10 == 0 {
			line.State, line.Error, line.Incomplete = lab.StateFailed, `<payment "declined">`, "a group did not handle it"
		}
		lines = append(lines, line)
	}
	for _, c := range []struct {
		query         string
		shown, folded int
		more          string
	}{
		{"", foldedJourneys, 150, "/journeys?rows=all"},
		{"rows=all", 200, 0, ""},
		{"form=grpc", foldedJourneys, 50, "/journeys?form=grpc&rows=all"},
		{"state=failed", 20, 0, ""},
		{"form=kafka&state=failed", 0, 0, ""},
		{"form=%3Cscript%3E&page=9", 0, 0, ""},
	} {
		v, err := url.ParseQuery(c.query)
		if err != nil {
			t.Fatal(err)
		}
		view := journeysOf(lines, 31, l, v)
		if len(view.Lines) != c.shown || view.Folded != c.folded || view.More != c.more {
			t.Errorf("%q: %d lines, %d folded, more at %q", c.query, len(view.Lines), view.Folded, view.More)
		}
		text := string(New(l, Config{}).fragment("journeys.html", "journeys", view))
		if !strings.Contains(text, "The newest 200 are kept; 31 older ones have made room") || strings.Contains(text, "<script>") || strings.Contains(text, "<payment") {
			t.Errorf("%q: %s", c.query, text)
		}
		if len(text) > mostPage {
			t.Errorf("%q: %d bytes", c.query, len(text))
		}
	}
	v, err := url.ParseQuery("form=grpc&state=failed")
	if err != nil {
		t.Fatal(err)
	}
	if c := filterChoice(v, "form", "grpc"); !c.Current || c.Href != "/journeys?state=failed" {
		t.Errorf("the current filter is taken away at %q", c.Href)
	}
}

// TestJourneyUnderWayIsFollowed looks at a journey while a service stands still, and when that has gone on.
func TestJourneyUnderWayIsFollowed(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	if err := l.Do(t.Context(), lab.Event{Do: "pause", Part: "payment"}); err != nil {
		t.Fatal(err)
	}
	list, err := l.Place(t.Context(), services.Kafka)
	if err != nil {
		t.Fatal(err)
	}
	at := &url.URL{Path: journeyPath(list[0].Key)}
	part := func() string { return string(b.server.journeysFragments(l, lab.Snapshot{}, at)["journey"]) }
	for text := part(); !strings.Contains(text, "send stock.reserved"); text = part() {
		select {
		case <-l.Changed():
		case <-time.After(100 * time.Millisecond): // a change may have come before the question
		case <-t.Context().Done():
			t.Fatal("the journey does not come as far as the service that stands still")
		}
	}
	if early := part(); strings.Contains(early, "payment.Charge") || strings.Contains(early, "state-completed") || len(b.server.finals.pages) > 0 {
		t.Errorf("a journey under way is drawn as whole, or kept as it is: %s", early)
	}
	if err := l.Do(t.Context(), lab.Event{Do: "start", Part: "payment"}); err != nil {
		t.Fatal(err)
	}
	settled(t, l, list[0].Key.Number, services.Kafka)
	if late := part(); !strings.Contains(late, "payment.Charge") || !strings.Contains(late, "orders.Complete") || !strings.Contains(late, "state-completed") {
		t.Errorf("the journey is not drawn to its end: %s", late)
	}
}

// TestFinalJourneyIsDrawnOnce asks for the live parts of a journey again and again.
func TestFinalJourneyIsDrawnOnce(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	number := placedAhead(t, l, services.Kafka)
	at := &url.URL{Path: journeyPath(lab.UnitKey{Form: services.Kafka, Number: number})}
	parts := b.server.journeysFragments(l, lab.Snapshot{}, at)
	if len(b.server.finals.pages) != 1 {
		t.Fatalf("%d live parts of a final journey are kept", len(b.server.finals.pages))
	}
	if text := string(parts["journey"]); !strings.Contains(text, "only says <strong>accepted") {
		t.Fatalf("the live part does not say that the work went on after the answer: %s", text)
	}
	for n := range 3 * mostFinals {
		b.server.journeysFragments(l, lab.Snapshot{}, &url.URL{Path: at.Path, RawQuery: fmt.Sprintf("span=%016x", n+1)})
	}
	if n := len(b.server.finals.pages); n > mostFinals {
		t.Errorf("%d live parts are kept, want at most %d", n, mostFinals)
	}
	for _, path := range []string{"/journeys/kafka/999999", "/journeys/kafka", "/journeys/", "/journeys/kafka/1/2"} {
		if parts := b.server.journeysFragments(l, lab.Snapshot{}, &url.URL{Path: path}); len(parts) > 0 {
			t.Errorf("%s has live parts", path)
		}
	}
	if list := b.server.journeysFragments(l, lab.Snapshot{}, &url.URL{Path: "/journeys"}); !strings.Contains(string(list["journeys"]), at.Path) {
		t.Error("the list's live part does not have the journey")
	}
	if wait := newJourneyPage(knownJourney{Unit: flows.Order().Unit, Form: "kafka", State: lab.StatePlaced}, journeyQuery{}); wait.Waiting == "" || len(wait.Pictures.Pictures) > 0 {
		t.Error("a journey whose caller has no answer yet is not said to be under way")
	}
}
