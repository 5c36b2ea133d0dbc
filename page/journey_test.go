package page

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/source"
	"tracelab/lab"
	"tracelab/services"
)

// settled waits until units of one number are completed, and their journeys final.
func settled(t *testing.T, l *lab.Live, number int, forms ...services.Form) {
	t.Helper()
	for {
		changed := l.Changed()
		left := slices.DeleteFunc(slices.Clone(forms), func(form services.Form) bool {
			line, ok := l.Line(lab.UnitKey{Form: form, Number: number})
			return ok && line.Final && line.State == lab.StateCompleted
		})
		if len(left) == 0 {
			return
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("%v are not final in the test's time", left)
		}
	}
}

// placed places twins, and waits until nothing more is expected of them.
func placed(t *testing.T, l *lab.Live, forms ...services.Form) int {
	t.Helper()
	list, err := l.Place(t.Context(), forms...)
	if err != nil {
		t.Fatal(err)
	}
	settled(t, l, list[0].Key.Number, forms...)
	return list[0].Key.Number
}

// placedAhead is placed of forms with kafka, whose answer comes before most of its time: payment stands still until kafka's caller has had it for as
// long as that took. On a busy machine all may be done before the caller hears of anything.
func placedAhead(t *testing.T, l *lab.Live, forms ...services.Form) int {
	t.Helper()
	if err := l.Do(t.Context(), lab.Event{Do: "pause", Part: "payment"}); err != nil {
		t.Fatal(err)
	}
	before, _ := l.Recent()
	ended := make(chan error, 1)
	go func() {
		_, err := l.Place(t.Context(), forms...)
		ended <- err
	}()
	line := answered(t, l, services.Kafka, before)
	select {
	case <-time.After(time.Duration(*line.WaitMS * float64(time.Millisecond))):
	case <-t.Context().Done():
		t.Fatal("the test's time is over before its caller has had its answer for long")
	}
	if err := errors.Join(l.Do(t.Context(), lab.Event{Do: "start", Part: "payment"}), <-ended); err != nil {
		t.Fatal(err)
	}
	settled(t, l, line.Key.Number, forms...)
	return line.Key.Number
}

// answered waits for the answer to a unit of a form that is not among those before.
func answered(t *testing.T, l *lab.Live, form services.Form, before []lab.JourneyLine) lab.JourneyLine {
	t.Helper()
	for {
		changed := l.Changed()
		lines, _ := l.Recent()
		for _, line := range lines {
			known := func(b lab.JourneyLine) bool { return b.Key == line.Key }
			if line.Key.Form == form && line.WaitMS != nil && !slices.ContainsFunc(before, known) {
				return line
			}
		}
		select {
		case <-changed:
		case <-t.Context().Done():
			t.Fatalf("no answer to a unit of %s in the test's time", form)
		}
	}
}

// TestJourneyOfTwins follows the links of the list and of a journey, as a person without script would.
func TestJourneyOfTwins(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	number := placedAhead(t, l, services.GRPC, services.Kafka)
	path := journeyPath(lab.UnitKey{Form: services.Kafka, Number: number})
	if list := b.get("/journeys?form=kafka&state=completed"); !strings.Contains(list, `href="`+path+`"`) || strings.Contains(list, "/journeys/grpc/") {
		t.Errorf("the list of kafka has no link to %s, or one to another form", path)
	}
	text := b.get(path)
	for what, want := range map[string]string{
		"the twin": ">hide grpc", "acceptance": "only says <strong>accepted</strong>", "its completion": "The answer says <strong>done</strong>",
		"queue wait": `class="wait"`, "both references": `class="edge both"`, "the parent": `class="edge parent"`, "the response path": `class="path response"`, "the completion path": `class="path"`,
		"a step": `<text class="step"`, "the table": "The spans of kafka as a table",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%s: no %q on the page", what, want)
		}
	}
	if alone := b.get(path + "?with=none"); strings.Contains(alone, "The spans of grpc as a table") || !strings.Contains(alone, ">show grpc") {
		t.Error("?with=none shows a twin")
	}
	span := b.get(path + "?span=" + spanNamed(t, l, lab.UnitKey{Form: services.Kafka, Number: number}, "send order.placed"))
	for _, want := range []string{"PRODUCER", "messaging.destination.name", "order.placed", "parent of <a href", "What crossed here"} {
		if !strings.Contains(span, want) {
			t.Errorf("no %q about the chosen span", want)
		}
	}
	if found := b.get(path + "?tab=findings"); !strings.Contains(found, "What lint finds") {
		t.Error("no findings")
	}
	if prediction := b.get(path + "?tab=prediction&with=grpc"); !strings.Contains(prediction, "what grpc really took") || !strings.Contains(prediction, "not known: it takes 20 pairs of twins") || strings.Contains(prediction, "no twin is kept") ||
		!strings.Contains(prediction, "The figures stay as they were when this was loaded") {
		t.Errorf("the prediction claims a range of few twins, or has none of the twin: %s", prediction)
	}
}

// spanNamed is the id of a unit's span.
func spanNamed(t *testing.T, l *lab.Live, key lab.UnitKey, name string) string {
	t.Helper()
	live, ok := l.Journey(key)
	if !ok || live.Journey == nil {
		t.Fatalf("%v is not kept", key)
	}
	for _, i := range live.Journey.Spans() {
		if s := live.Set.Span(i); s.Name == name {
			return s.ID.String()
		}
	}
	t.Fatalf("%v has no span %s", key, name)
	return ""
}

// TestJourneyFileIsTheJourney reads the file that the page gives, as `tracelab journey` does.
func TestJourneyFileIsTheJourney(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	number := placed(t, l, services.Kafka)
	key := lab.UnitKey{Form: services.Kafka, Number: number}
	answer, text := b.send(http.MethodGet, journeyPath(key)+"/otlp.json", "")
	if answer.StatusCode != http.StatusOK || !strings.Contains(answer.Header.Get("Content-Disposition"), fileOf("kafka", number)) {
		t.Fatalf("%d %v", answer.StatusCode, answer.Header)
	}
	read, err := source.Read(strings.NewReader(text), "file")
	if err != nil {
		t.Fatal(err)
	}
	live, _ := l.Journey(key)
	journeys := journey.NewSet(read.Spans).Journeys()
	if len(journeys) != 1 || journeys[0].Len() != live.Journey.Len() || journeys[0].Completion() != live.Journey.Completion() {
		t.Errorf("%d journeys in the file, want the one of %d spans", len(journeys), live.Journey.Len())
	}
}

// TestNoJourney says in words what is not there.
func TestNoJourney(t *testing.T) {
	l := sharedLab(t)
	b := serve(t, l)
	for _, path := range []string{"/journeys/kafka/999999", "/journeys/%3Cscript%3E/1", "/journeys/kafka/x", "/journeys/kafka/-1", "/journeys/kafka/999999/otlp.json"} {
		if answer, text := b.send(http.MethodGet, path, ""); answer.StatusCode != http.StatusNotFound || !strings.Contains(text, "There is no order of this number in this form") || strings.Contains(text, "<script>") {
			t.Errorf("%s: %d %s", path, answer.StatusCode, text)
		}
	}
	if words := goneWords("order", 200, 31); !strings.Contains(words, "the newest 200 are, and 31 older ones have made room") {
		t.Error(words)
	}
}
