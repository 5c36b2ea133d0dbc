package services

import (
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"tracelab/internal/testkit"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// TestMessageFaultsActThroughTheOutbox: what an outbox sends has the same faults as what is sent at once, on the same units, and its creation
// context all the same. An outbox in memory is turned on by the flow's file.
func TestMessageFaultsActThroughTheOutbox(t *testing.T) {
	testkit.Unraced(t, "TestHopFaultsOfAnyFlow")
	const units = 4
	f := parsed(t, "outbox: on\n"+parcel)
	inBubble(t, func(l *testLab) {
		for _, kind := range []string{"", faults.Duplicate, faults.Reorder, faults.Poison, faults.DropContext, faults.DropBaggage, faults.DoubleTraceparent} {
			want, skipped := 0, l.system.Skipped()
			for number := range units {
				e := Experiment{Run: "r" + kind, Form: "messages", Flow: f.Name, Number: number, Seed: 7}
				if kind != "" {
					fault, err := ParseFault(f, "desk:"+kind+"@0.5")
					l.must(err)
					e.Faults = []faults.Fault{fault}
					if e.Hits(fault) {
						want++
					}
				}
				a := l.place(e, f.DrawBody(e.Draw("placement")))
				if s := l.await(a.id()); s.Status != Completed {
					t.Errorf("%s: unit %d is %s", kind, number, s.Status)
				}
				hit := len(e.Faults) > 0 && e.Hits(e.Faults[0])
				sends := l.sent(a.id(), "parcel.taken")
				if n := map[bool]int{false: 1, true: 2}[hit && (kind == faults.Duplicate || kind == faults.Poison)]; len(sends) != n {
					t.Errorf("%s: unit %d: sent %d times, want %d", kind, number, len(sends), n)
				}
				for _, span := range sends {
					if linked := len(span.Links()) == 1; linked == (hit && kind == faults.DropContext) || span.SpanContext().TraceID() != a.trace {
						t.Errorf("%s: unit %d: a send span is linked to its create span: %v", kind, number, linked)
					}
				}
			}
			for fault, n := range l.system.Fired("r" + kind)["messages"] {
				if n != want {
					t.Errorf("%s fired on %d units, want %d", fault, n, want)
				}
				want = 0
			}
			if want != 0 {
				t.Errorf("%s fired on none, want %d", kind, want)
			}
			if kind == faults.Poison && l.system.Skipped() == skipped {
				t.Errorf("nobody skipped a message that cannot be read")
			}
		}
	}, withFlow(t, f))
}

// sent lists the send spans of a topic for a unit.
func (l *testLab) sent(id, topic string) []sdktrace.ReadOnlySpan {
	return slices.DeleteFunc(slices.Clone(l.ended()), func(s sdktrace.ReadOnlySpan) bool {
		return s.Name() != "send "+topic || attributes(s)["messaging.message.conversation_id"].AsString() != id
	})
}

// refusing lets the broker take nothing for a topic, with an error.
func (l *testLab) refusing(topic string, code int16) {
	l.Helper()
	info := l.cluster.TopicInfo(topic)
	if info == nil {
		l.Fatalf("no topic %s", topic)
	}
	l.cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		l.cluster.KeepControl()
		produce := request.(*kmsg.ProduceRequest)
		response := produce.ResponseKind().(*kmsg.ProduceResponse)
		for _, asked := range produce.Topics {
			if asked.Topic != topic && asked.TopicID != info.TopicID {
				return nil, nil, false
			}
			refused := kmsg.NewProduceResponseTopic()
			refused.Topic, refused.TopicID = asked.Topic, asked.TopicID
			for _, p := range asked.Partitions {
				one := kmsg.NewProduceResponseTopicPartition()
				one.Partition, one.ErrorCode = p.Partition, code
				refused.Partitions = append(refused.Partitions, one)
			}
			response.Topics = append(response.Topics, refused)
		}
		return response, nil, true
	})
}

// forked is a flow whose entry leads to two topics.
const forked = `flow: forked
unit: piece
steps:
  a.Take: {wait: 1ms}
  b.Left: {after: a.Take, message: left, wait: 1ms}
  c.Right: {after: a.Take, message: right, wait: 1ms}
forms:
  kafka: {each: kafka, a.Take: grpc}
  boxed: {each: kafka, a.Take: grpc, outbox: on}
`

// TestARefusedMessageFailsItsOrder: a message that the broker refuses for good is not sent for ever. By way of the outbox its unit fails after a
// few attempts, by name, and the next message of its key goes out; without one the client is told, and the unit has failed as well.
func TestARefusedMessageFailsItsOrder(t *testing.T) {
	t.Parallel() // in virtual time
	f := parsed(t, forked)
	inBubble(t, func(l *testLab) {
		l.refusing("left", kerr.TopicAuthorizationFailed.Code)
		e := Experiment{Run: "r", Form: "boxed", Flow: f.Name}
		begin := time.Now()
		a := l.place(e, Placement{})
		if a.status != http.StatusAccepted {
			t.Errorf("answered %d %s, want 202", a.status, a.body)
		}
		s := l.await(a.id())
		took := time.Since(begin)
		if len(s.Failures) != 1 || s.Failures[0].Step != "b.Left" || s.Failures[0].Reason != "message_refused" || s.Failures[0].Attempts != outboxAttempts || took > 2*outboxAttempts*outboxLook {
			t.Errorf("%s after %v of %+v, want it failed of the message to b.Left", s.Status, took, s.Failures)
		}
		l.until("the other message of its key is sent and handled", func() bool { return slices.Contains(l.steps(e), "c.Right") })
		if n, err := l.system.keeper.store.kept.Backlog(t.Context()); n != 0 || err != nil {
			t.Errorf("%d messages stay in the outbox (%v)", n, err)
		}
		time.Sleep(time.Minute)
		lines := len(l.logs.records("a message was refused, and stays in the outbox")) + len(l.logs.records("a message was refused, and its order has failed"))
		if lines != outboxAttempts {
			t.Errorf("%d lines in the log, want one for each of %d attempts", lines, outboxAttempts)
		}
		at := l.place(Experiment{Run: "r", Form: Kafka, Flow: f.Name}, Placement{})
		if at.status != http.StatusInternalServerError || at.problem(t).Type != "/problems/message_refused" {
			t.Errorf("without an outbox: answered %d %s", at.status, at.body)
		}
		sums := l.summary().Forms
		if diff := cmp.Diff([]int{1, 1, 1, 1}, []int{sums["boxed"].Accepted, sums["boxed"].Failed, sums[Kafka].Accepted, sums[Kafka].Failed}); diff != "" {
			t.Errorf("accepted and failed, boxed and not (-want +got):\n%s", diff)
		}
	}, withFlow(t, f))
}

// TestAConsumerWhoseMessageIsRefused: what a service cannot hand on for good goes to the dead letters with the message that led to it, and the
// partition goes on.
func TestAConsumerWhoseMessageIsRefused(t *testing.T) {
	t.Parallel() // in virtual time
	inBubble(t, func(l *testLab) {
		l.refusing("stock.reserved", kerr.PolicyViolation.Code)
		begin := time.Now()
		s := l.await(l.place(in("r", Kafka), tea).id())
		want := []StepFailure{{Step: string(Charge), Reason: "message_refused", DeadLetter: true}}
		for i := range s.Failures {
			s.Failures[i].Detail = ""
		}
		if diff := cmp.Diff(want, s.Failures); diff != "" || time.Since(begin) < refusedFor {
			t.Errorf("%s after %v (-want +got):\n%s", s.Status, time.Since(begin), diff)
		}
		if letters := l.deadLetters("order.placed"); len(letters) != 1 {
			t.Errorf("%d dead letters, want the message that led to the step before", len(letters))
		}
		if lag := l.lag(); lag[Inventory] != 0 {
			t.Errorf("%d messages are not committed", lag[Inventory])
		}
	})
}

// TestOutboxInSomeForms: who says nothing has one with a store that outlives the process; --no-outbox is stronger than a file.
func TestOutboxInSomeForms(t *testing.T) {
	for _, c := range []struct{ durable, none, kafka, boxed bool }{
		{false, false, false, true}, {true, false, true, true}, {false, true, false, false}, {true, true, false, false},
	} {
		n := &node{flow: &flowWork{Flow: parsed(t, forked)}}
		k := &keeper{node: n, ledger: &ledger{}, noOutbox: c.none}
		k.ledger.about.Durable = c.durable
		if got := fmt.Sprint(k.boxed(Kafka), k.boxed("boxed")); got != fmt.Sprint(c.kafka, c.boxed) {
			t.Errorf("%+v: got %s", c, got)
		}
	}
	if flows.Order().HasOutbox() {
		t.Error("order says that it has an outbox")
	}
}
