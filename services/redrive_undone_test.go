package services

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"tracelab/internal/testkit"
	"tracelab/services/faults"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
)

// failsFor is an experiment in which a service fails for good.
func failsFor(form Form, services ...string) Experiment {
	e := in("r", form)
	for _, service := range services {
		e.Faults = append(e.Faults, faults.Fault{Service: service, Kind: "error", Value: "no_luck", Share: 1})
	}
	return e
}

// redrive sends the dead letters of a topic back on all brokers, and says how many.
func (l *testLab) redrive(topic string) int {
	l.Helper()
	sent, err := Redrive(l.Context(), l.config, topic, 100)
	l.must(err)
	return sent[flows.KafkaLog].Sent + sent[flows.RabbitMQ].Sent
}

// mend starts services again, without faults.
func (l *testLab) mend(services ...string) {
	l.Helper()
	l.system.config.AllowFaults = false
	for _, service := range services {
		l.must(l.system.Stop(l.Context(), service))
		l.must(l.system.Start(l.Context(), service))
	}
	l.must(l.system.Ready(l.Context()))
}

// handled are the handlings of a step that the spans tell of: those that had its effect, and those that were skipped.
func (l *testLab) handled(step Step) (e Effect) {
	for _, span := range l.spansNamed(string(step)) {
		switch {
		case attributes(span)[KeyDuplicate].AsBool():
			e.Skipped++
		case attributes(span)["error.type"].AsString() == "":
			e.Once++
		}
	}
	return e
}

// TestRedriveOfAnUndoneOrder: an order that has failed for good and was undone begins anew when its dead letter comes back. While the cause is still
// there it fails and is undone again; once that is mended it completes. What was undone is done once for each time, everything else once, and the
// accounts count every handling.
func TestRedriveOfAnUndoneOrder(t *testing.T) {
	testkit.Unraced(t, "TestRedrive")
	for _, form := range []Form{Kafka, "rabbitmq", Hybrid, "reply"} {
		for _, failing := range []struct{ service, step, topic string }{{Payment, "payment.Charge", "stock.reserved"}, {Shipping, "shipping.Dispatch", "payment.captured"}} {
			t.Run(string(form)+" "+failing.step, func(t *testing.T) {
				inBubble(t, func(l *testLab) { l.redrivesUndone(form, failing.service, failing.topic) }, func(c *Config) {
					c.Flow = retrying(t, failing.step, "1 within 5s, backoff 10ms")
				})
			})
		}
	}
}

// redrivesUndone redrives an order that fails at a service: while it still fails there, when it does not any more, and when nothing is left.
func (l *testLab) redrivesUndone(form Form, service, topic string) {
	const release = "inventory.Release"
	l.place(failsFor(form, service), tea)
	id := l.orders("r")[0].ID
	for generation := range 2 {
		l.until("the order has failed and is undone", func() bool {
			s := l.state(id)
			return s.Status == Failed && len(s.Failures) == 1 && s.Failures[0].DeadLetter && s.Failures[0].Attempts == 2 && l.countsOf(form, release).Undone == generation+1
		})
		time.Sleep(time.Second)
		if a := l.summary().Forms[form]; a.Accepted != 1 || a.Failed != 1 || a.Pending != 0 || a.DeadLetters != generation+1 || a.BegunAnew != generation {
			l.Errorf("accounts of generation %d: %+v", generation, a)
		}
		if generation == 1 {
			l.mend(service)
		}
		if n := l.redrive(topic); n != 1 {
			l.Fatalf("%d sent back, want 1", n)
		}
		if generation == 0 {
			l.until("it begins anew", func() bool { return l.summary().Forms[form].BegunAnew == 1 })
		}
	}
	l.until("the order is completed", func() bool { return l.state(id).Status == Completed })
	if n := l.redrive(topic); n != 0 {
		l.Errorf("another redrive sent %d back", n)
	}
	time.Sleep(time.Second)
	a := l.summary().Forms[form]
	want := Accounts{Accepted: 1, Completed: 1, DeadLetters: 2, BegunAnew: 2, Retried: 2, Effects: onceEach()}
	want.Effects[Reserve] = Effect{Once: 3}
	for step, e := range want.Effects {
		if step != Accept {
			e.Skipped = l.handled(step).Skipped
			want.Effects[step] = e
			if n := l.handled(step).Once; n != e.Once {
				l.Errorf("%s: done %d times by its spans, want %d", step, n, e.Once)
			}
		}
	}
	if diff := cmp.Diff(want, a); diff != "" {
		l.Errorf("accounts (-want +got):\n%s", diff)
	}
	if undone := l.countsOf(form, release).Undone; undone != 2 || l.handled(release).Once != 2 {
		l.Errorf("%d reservations are taken back, want 2 of 3", undone)
	}
}

// TestTwoDeadLettersOfAnOrderBeginItAnewOnce: two steps beside each other have failed, and each has its dead letter.
func TestTwoDeadLettersOfAnOrderBeginItAnewOnce(t *testing.T) {
	for _, form := range []Form{Kafka, "rabbitmq"} {
		inBubble(t, func(l *testLab) {
			id := l.place(failsFor(form, Shipping, Analytics), tea).id()
			l.until("both have failed", func() bool { return len(l.state(id).Failures) == 2 })
			time.Sleep(time.Second)
			l.mend(Shipping, Analytics)
			if n := l.redrive("payment.captured"); n != 2 {
				l.Fatalf("%d sent back, want 2", n)
			}
			l.until("the order is completed", func() bool { return l.state(id).Status == Completed })
			time.Sleep(time.Second)
			a := l.summary().Forms[form]
			if a.BegunAnew != 1 || a.Completed != 1 || a.Failed != 0 || a.DeadLetters != 2 || l.countsOf(form, "inventory.Release").Undone != 1 {
				l.Errorf("%s: accounts %+v", form, a)
			}
			for step, e := range a.Effects {
				if want := map[bool]int{true: 2, false: 1}[step == Reserve]; e.Once != want || e.Twice != 0 {
					l.Errorf("%s: %s: %+v, want it %d times", form, step, e, want)
				}
			}
		}, func(c *Config) {
			c.Flow = retrying(t, "shipping.Dispatch", "1 within 5s, backoff 10ms")
			i := rowOf(c.Flow, Record)
			c.Flow.Rows[i].Retry = c.Flow.Rows[rowOf(c.Flow, Dispatch)].Retry
		})
	}
}

func rowOf(f *flows.Flow, step Step) int {
	for i, row := range f.Rows {
		if row.Step == step {
			return i
		}
	}
	return -1
}

// TestRedriveOfAnOrderThatHasNotFailed: a dead letter whose order was done all the same, because a service was killed before it had told of the
// failure, changes nothing.
func TestRedriveOfAnOrderThatHasNotFailed(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		id := l.place(in("r", Kafka), tea).id()
		l.await(id)
		time.Sleep(time.Second)
		before := l.summary().Forms[Kafka]
		l.copyToDeadLetters("stock.reserved", Payment)
		if n := l.redrive("stock.reserved"); n != 1 {
			l.Fatalf("%d sent back, want 1", n)
		}
		time.Sleep(10 * time.Second)
		if diff := cmp.Diff(before, l.summary().Forms[Kafka]); diff != "" || l.lag()[Orders] != 0 {
			l.Errorf("accounts (-before +after):\n%s, %d records are not handled", diff, l.lag()[Orders])
		}
	})
}

// TestRedriveOfAPendingOrder: a dead letter whose order neither fails nor ends within 5 s is put with the dead letters of the topic of failures. Sent
// back from there when the order has ended, it changes nothing.
func TestRedriveOfAPendingOrder(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.must(l.system.Stop(l.Context(), Shipping))
		id := l.place(in("r", Kafka), tea).id()
		time.Sleep(time.Second)
		l.copyToDeadLetters("stock.reserved", Payment)
		if n := l.redrive("stock.reserved"); n != 1 {
			l.Fatalf("%d sent back, want 1", n)
		}
		time.Sleep(2 * pendingFor)
		if s := l.state(id); s.Status != Accepted || len(l.deadLetters(FailureTopic)) != 1 {
			l.Errorf("%+v, %d dead letters of %s, want one", s, len(l.deadLetters(FailureTopic)), FailureTopic)
		}
		l.must(l.system.Start(l.Context(), Shipping))
		l.await(id)
		if n := l.redrive(FailureTopic); n != 1 {
			l.Errorf("%d sent back, want 1", n)
		}
		time.Sleep(time.Second)
		a := l.summary().Forms[Kafka]
		if diff := cmp.Diff(Accounts{Accepted: 1, Completed: 1, Effects: onceEach()}, a); diff != "" {
			l.Errorf("accounts (-want +got):\n%s", diff)
		}
	})
}

// copyToDeadLetters makes a dead letter of each record of a topic, which a service is said to have given up.
func (l *testLab) copyToDeadLetters(topic, service string) {
	l.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(l.config.Kafka...), kgo.Dialer(l.config.Network.Dial), kgo.DisableClientMetrics(),
		kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()), kgo.FetchMaxWait(50*time.Millisecond))
	l.must(err)
	defer client.Close()
	_, err = kadm.NewClient(client).CreateTopic(l.Context(), carrier.DefaultPartitions, 1, nil, topic+carrier.DeadLetters)
	l.must(err)
	for _, r := range client.PollFetches(l.Context()).Records() {
		headers := append(slices.Clone(r.Headers), kgo.RecordHeader{Key: carrier.HeaderConsumer, Value: []byte(service)}, kgo.RecordHeader{Key: carrier.HeaderAttempts, Value: []byte("2")})
		l.must(client.ProduceSync(l.Context(), &kgo.Record{Topic: topic + carrier.DeadLetters, Key: r.Key, Value: r.Value, Headers: headers}).FirstErr())
	}
}
