package services

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/baggage"
	"pgregory.net/rapid"

	"tracelab/services/faults"
	"tracelab/services/flows"
)

// draws makes an experiment.
func draws(t *rapid.T) Experiment {
	e := Experiment{
		Run:      rapid.StringMatching(`[a-zA-Z0-9 ,;=%äö-]{0,12}`).Draw(t, "run"),
		Form:     rapid.SampledFrom(Forms()).Draw(t, "form"),
		Flow:     rapid.SampledFrom([]string{"order"}).Draw(t, "flow"),
		Relation: rapid.SampledFrom([]Relation{RelationBoth, RelationParent, RelationLink}).Draw(t, "relation"),
		Number:   rapid.IntRange(0, math.MaxInt).Draw(t, "number"),
		Seed:     rapid.Uint64().Draw(t, "seed"),
	}
	for range rapid.IntRange(0, 3).Draw(t, "faults") {
		f := faults.Fault{Service: rapid.SampledFrom(Names()).Draw(t, "service"), Share: rapid.Float64Range(0.001, 1).Draw(t, "share")}
		f.Kind = rapid.SampledFrom([]string{"delay", "error", "hang"}).Draw(t, "kind")
		f.Value = map[string]string{"delay": "20ms", "error": "payment_declined", "hang": "1.5s"}[f.Kind]
		if rapid.Bool().Draw(t, "timed") {
			f.From, f.To, f.Attempt = 2*time.Second, 4*time.Second, rapid.IntRange(0, 3).Draw(t, "attempt")
			e.Start = time.UnixMilli(rapid.Int64Range(0, 1<<41).Draw(t, "start"))
		}
		e.Faults = append(e.Faults, f)
	}
	return e
}

// TestExperimentTravels: what goes into the baggage comes out of it, also over the wire.
func TestExperimentTravels(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := draws(t)
		ctx, err := want.WithBaggage(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		bag, err := baggage.Parse(baggage.FromContext(ctx).String())
		if err != nil {
			t.Fatal(err)
		}
		got, err := experimentOf(baggage.ContextWithBaggage(context.Background(), bag), flows.Order())
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%v (-want +got):\n%s", err, diff)
		}
	})
}

func TestNoBaggageIsTheDefault(t *testing.T) {
	got, err := experimentOf(t.Context(), flows.Order())
	if diff := cmp.Diff(Default(flows.Order()), got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

// nonsense are members that an experiment must not be read from, with a word of the error.
var nonsense = []struct{ key, value, word string }{
	{KeyForm, "smoke", "rest, grpc, kafka, hybrid"},
	{KeyForm, "REST", "rest"},
	{KeyFlow, "ring", "order"},
	{KeyRelation, "cousin", "both, parent, link"},
	{KeyNumber, "seven", KeyNumber},
	{KeyNumber, "-1", KeyNumber},
	{KeyNumber, "9223372036854775808", KeyNumber},
	{KeySeed, "-1", KeySeed},
	{KeySeed, "18446744073709551616", KeySeed},
	{KeyFaults, "payment", "SERVICE:KIND"},
	{KeyFaults, "bank:error=x", "payment"},
	{KeyFaults, "payment:explode=1", "delay, error, hang"},
	{KeyFaults, "payment:delay=2s@0", "share"},
	{KeyFaults, "payment:error=ok,payment:hang=1h", "30s"},
}

// with is a context with one baggage member.
func with(t *testing.T, key, value string) context.Context {
	t.Helper()
	member, err := baggage.NewMemberRaw(key, value)
	if err != nil {
		t.Fatal(err)
	}
	bag, err := baggage.New(member)
	if err != nil {
		t.Fatal(err)
	}
	return baggage.ContextWithBaggage(t.Context(), bag)
}

func TestNonsenseIsNoExperiment(t *testing.T) {
	for _, c := range nonsense {
		if _, err := experimentOf(with(t, c.key, c.value), flows.Order()); err == nil || !strings.Contains(err.Error(), c.key) || !strings.Contains(err.Error(), c.word) {
			t.Errorf("%s=%s: error %v, want one that names the member and has %q in it", c.key, c.value, err, c.word)
		}
	}
}

// FuzzExperiment: no baggage makes the parser panic, and what it accepts it can write and read again.
func FuzzExperiment(f *testing.F) {
	f.Add("tracelab.form=grpc,tracelab.order.number=3,tracelab.seed=9,tracelab.relation=link,tracelab.flow=order")
	f.Add("tracelab.faults=payment:delay=200ms@0.5%2Cshipping:hang=2s")
	f.Add("tracelab.run.id=%20x%2C,foreign=1;property")
	for _, c := range nonsense {
		f.Add(c.key + "=" + c.value)
	}
	f.Fuzz(func(t *testing.T, text string) {
		bag, err := baggage.Parse(text)
		if err != nil {
			t.Skip()
		}
		ctx := baggage.ContextWithBaggage(t.Context(), bag)
		e, err := experimentOf(ctx, flows.Order())
		if err != nil {
			return
		}
		ctx, err = e.WithBaggage(ctx)
		if err != nil {
			t.Fatalf("%+v was read and cannot be written: %v", e, err)
		}
		again, err := experimentOf(ctx, flows.Order())
		if diff := cmp.Diff(e, again); err != nil || diff != "" {
			t.Fatalf("%q: %v (-first +second):\n%s", text, err, diff)
		}
	})
}
