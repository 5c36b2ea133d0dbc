package predict

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tracelab/journey"
	"tracelab/journey/internal/draw"
)

const (
	chain = `
client CLIENT 0-100
  a SERVER 0-100
    a.accept 0-10
    a.callb CLIENT 10-40
      b.serve SERVER 12-38
        b.step 12-38
    a.callc CLIENT 41-70
      c.serve SERVER 43-68
        c.step 43-68
    a.complete 72-90`
	joined = `
client CLIENT 0-61
  a SERVER 0-61
    a.accept 0-10
    a.callb CLIENT 10-30
      b.serve SERVER 11-29
        b.step 11-29
    a.callc CLIENT 10-50
      c.serve SERVER 11-49
        c.step 11-49
    a.join 52-60`
	nested = `
client CLIENT 0-70
  a SERVER 0-70
    a.callb CLIENT 10-60
      b.serve SERVER 11-59
        b.callc CLIENT 20-50
          c.serve SERVER 21-49
            c.step 21-49
        b.step 51-58`
	joinThenCall = `
client CLIENT 0-61
  a SERVER 0-61
    a.callb CLIENT 10-30
      b.serve SERVER 11-29
        b.step 11-29
    a.callc CLIENT 10-50
      c.serve SERVER 11-49
        c.step 11-49
    a.calld CLIENT 52-60
      d.serve SERVER 53-59
        d.step 53-59`
	noClient = `
client CLIENT 0-50
  a SERVER 0-50
    b.serve SERVER 10-30
      b.step 10-30
    a.rest 31-40`
	detached = `
client CLIENT 0-20
  a SERVER 0-20
    a.callb CLIENT 5-15
      b.serve SERVER 6-14
        b.step 6-14
    a.background 25-60`
	attempts = `
client CLIENT 0-60
  a SERVER 0-60
    a.callb CLIENT 10-50
      a.try1 10-20
        b.serve1 SERVER 11-19 error
      a.try2 25-49
        b.serve2 SERVER 26-48`
	events = `
client CLIENT 0-20
  a SERVER 0-20
    a.accept 0-10
    a.send PRODUCER 10-12
      b.handle CONSUMER 17-50
        b.step 17-45
        b.send PRODUCER 46-48
          a.handle CONSUMER 55-60
            a.done 55-60`
	fanOut = `
client CLIENT 0-20
  a SERVER 0-20
    a.send PRODUCER 10-12
      b.handle CONSUMER 17-50
        b.step 17-50
      c.handle CONSUMER 18-80
        c.step 18-80`
	reply = `
client CLIENT 0-60
  a SERVER 0-60
    a.send PRODUCER 10-12 messaging.message.conversation_id=1 topic=q
      b.handle CONSUMER 17-40 op=process topic=q group=b
        b.step 17-40
          b.send PRODUCER 40-40 messaging.message.conversation_id=1 topic=r
            a.back CONSUMER 50-55 op=process topic=r group=a messaging.message.conversation_id=1`
	batch = `
client CLIENT 0-20
  a SERVER 0-20
    a.send1 PRODUCER 10-12
      b.handle CONSUMER 15-30
        b.send PRODUCER 28-30
    a.send2 PRODUCER 10-12
      c.handle CONSUMER 15-50
        c.send PRODUCER 48-50
          e.handle CONSUMER 55-65 link=b.send
            e.step 55-65`
)

// A publish takes 2 ms, a delivery 5 ms, a call 1 ms. What is wanted was worked out by hand from the rules.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		what, drawing string
		message, call string
		wait, total   float64
	}{
		{"a call becomes a message, what follows starts behind it, own work comes back", chain, "b.step", "", 22, 96},
		{"two calls in a chain", chain, "b.step c.step", "", 22, 97},
		{"the second call only", chain, "c.step", "", 53, 96},
		{"a join of two messages is behind the later one", joined, "b.step c.step", "", 13, 68},
		{"a join of a message and a call, the message later", joined, "c.step", "", 31, 68},
		{"a join of a message and a call, the call later", joined, "b.step", "", 51, 60},
		{"a call within a call becomes a message", nested, "c.step", "", 34, 66},
		{"both of two nested calls", nested, "b.step c.step", "", 22, 70},
		{"a call that needs two messages starts from where they join", joinThenCall, "b.step c.step", "", 13, 68},
		{"a server without a client's span", noClient, "b.step", "", 22, 50},
		{"what began after the answer moves, too", detached, "b.step", "", 12, 68},
		{"of several attempts the last is taken", attempts, "b.serve2", "", 22, 37},
		{"a message becomes a call", events, "", "b.step", 52, 53.5},
		{"a message to a service that waits costs no request", events, "", "b.step a.done", 55, 55},
		{"a message that nobody waits for", events, "", "a.done", 20, 54},
		{"consumers are called side by side", fanOut, "", "b.step c.step", 81, 81},
		{"one of two consumers is called, the other has its message", fanOut, "", "c.step", 81, 81},
		{"a caller that waits for a reply waits for it no longer than it takes", reply, "", "b.step", 53.5, 53.5},
		{"a handling of several messages is behind the latest", batch, "", "b.send c.send e.step b.handle c.handle", 63, 63},
	} {
		t.Run(c.what, func(t *testing.T) {
			wanted := strings.Fields(c.message + " " + c.call)
			wanted = slices.DeleteFunc(wanted, func(name string) bool { return strings.HasSuffix(name, ".send") })
			option := ToMessage(wanted...)
			if c.call != "" {
				option = ToCall(wanted...)
			}
			p, err := Predict(drawn(t, c.drawing), option, WithPublish(2*time.Millisecond), WithDelivery(5*time.Millisecond), WithCall(time.Millisecond))
			if err != nil {
				t.Fatal(err)
			}
			got := p.Journeys[0].Predicted
			if milliseconds(got.CallerWait) != c.wait || milliseconds(got.Completion) != c.total {
				t.Errorf("caller wait %v, completion %v, want %v and %v ms; turned %v", got.CallerWait, got.Completion, c.wait, c.total, p.Turned)
			}
		})
	}
}

func drawn(t *testing.T, drawing string) []*journey.Journey {
	t.Helper()
	spans, err := draw.Spans(drawing)
	if err != nil {
		t.Fatal(err)
	}
	return journey.NewSet(spans).Journeys()
}

func TestTheOrderOfNamesDoesNotMatter(t *testing.T) {
	names := []string{"b.step", "c.step"}
	for _, drawing := range []string{chain, joined, nested} {
		var first string
		for _, list := range [][]string{{names[0], names[1]}, {names[1], names[0]}} {
			p, err := Predict(drawn(t, drawing), ToMessage(list[0]), ToMessage(list[1]), WithPublish(1), WithDelivery(2))
			if err != nil {
				t.Fatal(err)
			}
			got := fmt.Sprint(p.Journeys[0].Predicted, p.Turned)
			if first == "" {
				first = got
			}
			if got != first {
				t.Errorf("%v: %s; the other way round %s", list, got, first)
			}
		}
	}
}

func TestWhatWasTurnedIsSaid(t *testing.T) {
	p, err := Predict(drawn(t, chain), ToMessage("c.step", "b.step"), WithPublish(1), WithDelivery(2))
	if err != nil {
		t.Fatal(err)
	}
	want := []Turned{{"a.complete", "", Message, 1}, {"b.step", Call, Message, 1}, {"c.step", Call, Message, 1}}
	if !slices.Equal(p.Turned, want) {
		t.Errorf("turned %v, want %v", p.Turned, want)
	}
	if !p.Constants.Publish.Used || !p.Constants.Delivery.Used || p.Constants.Call.Used {
		t.Errorf("constants %+v", p.Constants)
	}
}

func TestConstantsComeFromTheNearestSource(t *testing.T) {
	calls, messages := drawn(t, chain), drawn(t, events)
	sources := func(journeys []*journey.Journey, options ...Option) string {
		t.Helper()
		p, err := Predict(journeys, options...)
		if err != nil {
			t.Fatal(err)
		}
		c := p.Constants
		return fmt.Sprint(c.Publish.Value, " ", c.Publish.Source, ", ", c.Delivery.Value, " ", c.Delivery.Source, ", ", c.Call.Value, " ", c.Call.Source)
	}
	const own = "4ms measured on these journeys"
	for _, c := range []struct{ got, want string }{
		{sources(calls, ToMessage("b.step"), From("B", messages)), "2ms measured on B, 8ms measured on B, 0s measured on B"},
		{sources(calls, ToMessage("b.step"), Like("L", messages)), "2ms measured on L, 8ms measured on L, " + own},
		{sources(calls, ToMessage("b.step"), WithPublish(1), From("B", messages), WithCall(3)), "1ns given, 8ms measured on B, 3ns given"},
		{sources(calls, ToMessage("b.step"), WithPublish(1), WithDelivery(2)), "1ns given, 2ns given, " + own},
		{sources(messages, ToCall("b.step"), From("B", calls), Named("A")), "2ms measured on A, 8ms measured on A, 4ms measured on B"},
	} {
		if c.got != c.want {
			t.Errorf("%s, want %s", c.got, c.want)
		}
	}
}

func TestErrorsNameTheWayOut(t *testing.T) {
	calls := drawn(t, chain)
	_, err := Predict(calls, ToMessage("b.stop"))
	if unknown, ok := errors.AsType[*UnknownHopError](err); !ok || !slices.Contains(unknown.Known, "b.step") {
		t.Errorf("an unknown step: %v", err)
	}
	_, err = Predict(calls, ToMessage("b.step"))
	if missing, ok := errors.AsType[*MissingConstantError](err); !ok || !missing.Message {
		t.Errorf("no constants: %v", err)
	}
	_, err = Predict(calls, ToCall("b.step"))
	if _, ok := errors.AsType[*CarrierError](err); !ok {
		t.Errorf("a call to be a call: %v", err)
	}
	_, err = Predict(calls, ToCall("b.step"), ToMessage("b.step"))
	if _, ok := errors.AsType[*CarrierError](err); !ok {
		t.Errorf("both: %v", err)
	}
	if _, err = Predict(calls); !errors.Is(err, ErrNothingTurned) {
		t.Errorf("nothing: %v", err)
	}
	if _, err = Predict(nil, ToCall("b.step")); err == nil {
		t.Error("no journeys, no error")
	}
}
