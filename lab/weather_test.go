package lab_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tracelab/internal/testkit"
	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// events reads what a test writes as constants; a wrong word ends it.
func events(t *testing.T, f *flows.Flow, texts ...string) []lab.Event {
	t.Helper()
	list := make([]lab.Event, len(texts))
	for i, text := range texts {
		var err error
		if list[i], err = lab.ParseEvent(f, text); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

// disturbed runs 40 orders of each form in four seconds of virtual time, on the embedded broker, which events may end.
func disturbed(t *testing.T, forms []services.Form, texts []string, check func(t *testing.T, result *lab.Result), changes ...func(*lab.Config)) {
	t.Helper()
	out := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := &virtualNetwork{}
		config := lab.Config{Orders: 40, WarmUp: 1, Windows: 1, Rate: 10 * float64(len(forms)), Seed: 1, Forms: forms, Out: out, Version: "test", Network: network.network(),
			Timeout: 2 * time.Second, Deadline: 30 * time.Second}
		config.Events = events(t, flows.Order(), texts...)
		for _, change := range changes {
			change(&config)
		}
		result, err := lab.Run(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		for form, f := range result.Forms {
			a := f.Orders
			if a.Placed != 40 || a.Placed != a.Accepted+a.Refused+a.Unknown+a.Lost || a.Accepted != a.Completed+a.Failed+a.Pending || a.Placed != a.Answered+a.Errors+a.Unanswered {
				t.Errorf("%s: the accounts do not balance: %+v", form, a)
			}
		}
		if s := result.Spans; s.Started != s.Exported+s.Dropped {
			t.Errorf("spans: %+v", *s)
		}
		check(t, result)
	})
}

// healthy fails for a problem that no event explains.
func healthy(t *testing.T, result *lab.Result) {
	t.Helper()
	for _, problem := range result.Problems {
		t.Errorf("problem: %s", problem)
	}
}

// TestKilledServiceIsExplained: calls fail while payment is away, messages wait for it; the report says what happened when, and what comes of it.
func TestKilledServiceIsExplained(t *testing.T) {
	t.Parallel() // in virtual time
	disturbed(t, []services.Form{services.GRPC, services.Kafka}, []string{"1s:kill:payment", "2s:start:payment"}, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		calls, messages := result.Forms[services.GRPC], result.Forms[services.Kafka]
		if calls.Orders.Errors < 8 || calls.Orders.Errors > 25 || messages.Orders.Errors+messages.Orders.Unanswered > 0 || messages.Orders.Completed != 40 {
			t.Errorf("calls %+v\nmessages %+v", calls.Orders, messages.Orders)
		}
		if len(result.Happened) != 2 || result.Happened[0].AtMS != 1000 || result.Happened[1].AtMS != 2000 || result.Happened[1].TookMS <= 0 {
			t.Errorf("happened: %+v", result.Happened)
		}
		if len(result.Felt) != 1 || result.Felt[0].What != "payment killed" || result.Felt[0].FromMS != 1000 || *result.Felt[0].ToMS < 2000 {
			t.Fatalf("felt: %+v", result.Felt)
		}
		byCalls, byMessages := result.Felt[0].Forms[services.GRPC], result.Felt[0].Forms[services.Kafka]
		if byCalls.Failed != calls.Orders.Errors || byCalls.UnderWay.Orders < byCalls.Failed || byCalls.UnderWay.Orders+byCalls.Others.Orders != 40 || byMessages.Failed > 0 || byMessages.Pending > 0 {
			t.Errorf("calls %+v\nmessages %+v", byCalls, byMessages)
		}
		if here, besides := byMessages.UnderWay.Completion.Median, byMessages.Others.Completion.Median; *here < 5**besides {
			t.Errorf("messages complete after %v ms while payment is away, and else after %v ms", *here, *besides)
		}
		during := 0
		for _, o := range readOrders(t, result) {
			if strings.Join(o.During, " ") == "payment killed" && o.Form == string(services.GRPC) {
				during++
			}
		}
		if during != byCalls.UnderWay.Orders {
			t.Errorf("orders.jsonl names %d orders of grpc, want %d", during, byCalls.UnderWay.Orders)
		}
		var text bytes.Buffer
		if err := result.WriteText(&text, format.Style{}); err != nil {
			t.Fatal(err)
		}
		notes := strings.Join(result.Notes(), "\n")
		for _, want := range []string{"at 1000 ms: kill payment, which took 0 ms", "at 2000 ms: start payment", "payment killed for ", " s, from 1.00 s on; of the orders under way meanwhile", "  kafka: 0 of ", "× event 1s:kill:payment"} {
			if !strings.Contains(text.String(), want) || !strings.Contains(notes, want) {
				t.Errorf("no %q in\n%s\nor\n%s", want, text.String(), notes)
			}
		}
	})
}

// TestStoppedServiceFinishes what it has: nothing is lost, no span is.
func TestStoppedServiceFinishes(t *testing.T) {
	t.Parallel() // in virtual time
	disturbed(t, []services.Form{services.Kafka}, []string{"1s:stop:payment", "1500ms:start:payment", "2s:stop:shipping", "2500ms:start:shipping"}, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		f := result.Forms[services.Kafka]
		if f.Orders.Completed != 40 || f.Journeys != 40 || len(result.Explained) > 0 || f.Effects.Twice > 0 {
			t.Errorf("%+v, %d journeys, effects %+v, explained %q", f.Orders, f.Journeys, f.Effects, result.Explained)
		}
	})
}

// TestPausedServiceIsLate: nothing fails, and who waits for it waits.
func TestPausedServiceIsLate(t *testing.T) {
	testkit.Unraced(t, "TestKilledServiceIsExplained")
	t.Parallel() // in virtual time
	disturbed(t, []services.Form{services.GRPC, services.Kafka}, []string{"1s:pause:payment", "1800ms:start:payment"}, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		for form, f := range result.Forms {
			if f.Orders.Completed != 40 || f.Completion.P95 == nil || *f.Completion.P95 < 400 {
				t.Errorf("%s: %+v, completion %+v", form, f.Orders, f.Completion)
			}
		}
	})
}

// TestKilledBrokerKeepsItsRecords: calls do not notice, messages are late and none is lost.
func TestKilledBrokerKeepsItsRecords(t *testing.T) {
	t.Parallel() // in virtual time
	disturbed(t, []services.Form{services.GRPC, services.Kafka}, []string{"1s:kill:kafka", "2s:start:kafka"}, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		calls, messages := result.Forms[services.GRPC], result.Forms[services.Kafka]
		if calls.Orders.Completed != 40 || messages.Orders.Completed != messages.Orders.Accepted || messages.Orders.Lost > 0 || *messages.CallerWait.P95 < 200 {
			t.Errorf("calls %+v\nmessages %+v, wait %+v", calls.Orders, messages.Orders, messages.CallerWait)
		}
	})
}

// TestKilledEntryLosesItsOrders: they are counted as lost, and the sums hold.
func TestKilledEntryLosesItsOrders(t *testing.T) {
	testkit.Unraced(t, "TestKilledServiceIsExplained")
	t.Parallel() // in virtual time
	disturbed(t, []services.Form{services.GRPC, services.Kafka}, []string{"2s:kill:orders", "2500ms:start:orders"}, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		for form, f := range result.Forms {
			if f.Orders.Lost < 15 || f.Orders.Lost > 25 {
				t.Errorf("%s: %+v, want some 20 lost", form, f.Orders)
			}
		}
		if !strings.Contains(strings.Join(result.Explained, "\n"), "orders was restarted at") {
			t.Errorf("explained: %q", result.Explained)
		}
	})
}

// TestWeatherByHand: an experiment or a page disturbs a run under way.
func TestWeatherByHand(t *testing.T) {
	t.Parallel() // in virtual time
	weather := lab.NewWeather()
	if err := weather.Do(t.Context(), lab.Event{Do: "kill", Part: "payment"}); err == nil {
		t.Error("a part was killed without a run")
	}
	disturbed(t, []services.Form{services.Kafka}, nil, func(t *testing.T, result *lab.Result) {
		healthy(t, result)
		if len(result.Happened) != 2 || result.Happened[0].Event != "902ms:pause:inventory" || result.Forms[services.Kafka].Orders.Completed != 40 {
			t.Errorf("%+v, %+v", result.Happened, result.Forms[services.Kafka].Orders)
		}
		result.Problems = nil
	}, func(c *lab.Config) {
		c.Weather = weather
		c.Progress = func(at lab.Progress) {
			if at.Stage != "placing orders" || at.Answered != 10 {
				return
			}
			go func() {
				for _, do := range []string{"pause", "start"} {
					if err := weather.Do(context.Background(), lab.Event{Do: do, Part: "inventory"}); err != nil {
						t.Errorf("%s: %v", do, err)
					}
					time.Sleep(100 * time.Millisecond)
				}
			}()
		}
	})
}

// TestEventsThatCannotBe are refused before anything starts, with the word that would be right.
func TestEventsThatCannotBe(t *testing.T) {
	for text, want := range map[string]string{
		"2s:kill":            "TIME:WHAT:PART, such as 2s:kill:payment",
		"2:kill:payment":     "a time of the run such as 2s",
		"-2s:kill:payment":   "a time of the run such as 2s",
		"2s:kil:payment":     `no event "kil": use one of stop, kill, pause, start`,
		"2s:kill:paymnt":     `no service or broker "paymnet": use one of gateway`,
		"2s:kill:payment:x":  "TIME:WHAT:PART",
		"100h:kill:payment":  "up to 24h0m0s",
		"2s:restart:payment": "use one of stop, kill, pause, start",
	} {
		if _, err := lab.ParseEvent(flows.Order(), text); err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(want, "paymnet", "paymnt")) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	for want, change := range map[string]func(*lab.Config){
		"payment is down by then":   func(c *lab.Config) { c.Events = events(t, flows.Order(), "1s:pause:payment", "500ms:kill:payment") },
		"payment is paused by then": func(c *lab.Config) { c.Events = events(t, flows.Order(), "0s:pause:payment", "10ms:pause:payment") },
		"payment runs by then":      func(c *lab.Config) { c.Events = events(t, flows.Order(), "1s:start:payment") },
		"the run is over by":        func(c *lab.Config) { c.Events = events(t, flows.Order(), "1h:kill:payment") },
		"the lab did not start the Kafka": func(c *lab.Config) {
			c.Events, c.Kafka = events(t, flows.Order(), "1s:kill:kafka"), []string{"127.0.0.1:1"}
		},
		"the services at --target are processes": func(c *lab.Config) {
			c.Events, c.Target, c.ReceiveOTLP = events(t, flows.Order(), "1s:kill:payment"), "http://127.0.0.1:1", "127.0.0.1:0"
		},
	} {
		config := lab.Config{Out: t.TempDir()}
		change(&config)
		if _, err := lab.Run(t.Context(), config); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
