package services

import (
	"strings"
	"testing"

	"tracelab/internal/broker/brokertest"
	"tracelab/services/flows"
	"tracelab/services/internal/carrier"
	"tracelab/services/internal/orderpb"

	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// TestTheLargestPayloadFits beside the largest unit, whatever carries it.
func TestTheLargestPayloadFits(t *testing.T) {
	f := parsed(t, shop(", payload: 48KiB"))
	row, _ := f.Row(fetch)
	event := &orderpb.Event{Payload: Experiment{Seed: 1}.payload(row), Order: &orderpb.Order{Id: strings.Repeat("i", 36), Body: map[string]string{"name": strings.Repeat("n", 8<<10)}}}
	for range handlingsOfStep * 4 {
		event.Handlings = append(event.Handlings, &orderpb.Handling{Step: string(fetch), Id: 1 << 60, Repeats: 1 << 60})
	}
	text, err := protojson.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > carrier.MaxBody || proto.Size(event) > carrier.MaxBody {
		t.Errorf("%d bytes of JSON, %d in gRPC: at most %d are read", len(text), proto.Size(event), carrier.MaxBody)
	}
	if flows.MaxPayload >= carrier.MaxBody {
		t.Errorf("a payload of %d bytes fills the %d of a message", flows.MaxPayload, carrier.MaxBody)
	}
}

// TestThePayloadIsTheSameInAllForms: drawn from the seed and the unit's number, of the size that the file says.
func TestThePayloadIsTheSameInAllForms(t *testing.T) {
	f := parsed(t, shop(", payload: 4KiB"))
	row, _ := f.Row(fetch)
	first := Experiment{Form: GRPC, Seed: 1, Number: 2}.payload(row)
	if len(first) != 4096 || Experiment.payload(Experiment{Form: Kafka, Seed: 1, Number: 2}, row) != first {
		t.Errorf("%d bytes in one form, and others in another", len(first))
	}
	if (Experiment{Seed: 2, Number: 2}.payload(row)) == first || (Experiment{Seed: 1, Number: 3}.payload(row)) == first {
		t.Error("another seed and another number draw the same")
	}
	if none, _ := f.Row("truck.Load"); (Experiment{}.payload(none)) != "" {
		t.Error("a step without a payload has one")
	}
}

// TestThePayloadTravels with calls and messages, the same with both.
func TestThePayloadTravels(t *testing.T) {
	f := parsed(t, shop(", payload: 4KiB"))
	row, _ := f.Row(fetch)
	inBubble(t, func(l *testLab) {
		for _, form := range []Form{REST, Kafka} {
			l.together(form, 1)
		}
		l.until("all are done", func() bool { return len(l.spansNamed("truck.Load")) == 2 })
		sent := 0
		for _, s := range l.spansNamed("POST /fetch") {
			sent = max(sent, number0(attr(s, "http.request.body.size")))
		}
		if sent < 4096 || sent > 4096+300 {
			t.Errorf("the call has %d bytes", sent)
		}
		records := brokertest.Records(l, 1, patience, kgo.SeedBrokers(l.cluster.ListenAddrs()...), kgo.Dialer(l.config.Network.Dial), kgo.ConsumeTopics("shop.taken"))
		event := &orderpb.Event{}
		if len(records) != 1 || protojson.Unmarshal(records[0].Value, event) != nil || event.GetPayload() != (Experiment{Form: REST}).payload(row) {
			t.Errorf("%d records with %d bytes of payload, want what a call has", len(records), len(event.GetPayload()))
		}
	}, withFlow(t, f))
}
