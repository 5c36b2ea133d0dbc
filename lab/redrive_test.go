package lab_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"tracelab/journey/format"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

const undoingShop = `flow: shop
steps:
  till.Take: {wait: 1ms}
  stock.Hold: {after: till.Take, message: shop.taken, wait: 2ms, undo: {stock.Free: {wait: 1ms}}}
  card.Charge: {after: stock.Hold, message: shop.held, wait: 2ms, retry: 3 within 2s, backoff 5ms}
  parcel.Pack: {after: card.Charge, message: shop.paid, wait: 2ms}
forms:
  messages: {each: kafka, till.Take: grpc}
`

// TestARunWhoseUndoneOrdersAreRedriven: the sums hold, the effects are those of each generation, and the report says how many began anew.
func TestARunWhoseUndoneOrdersAreRedriven(t *testing.T) {
	t.Parallel() // in virtual time
	f, err := flows.Parse("shop.yaml", []byte(undoingShop))
	if err != nil {
		t.Fatal(err)
	}
	const mended = 5 * time.Second
	fault, err := services.ParseFault(f, "card:error=gone@0.5,to="+mended.String())
	if err != nil {
		t.Fatal(err)
	}
	var redriven lab.Redriven
	virtually(t, func(c *lab.Config) {
		weather, sent := lab.NewWeather(), false
		c.Flow, c.Forms, c.Orders, c.Faults, c.Weather = f, f.Forms(), 20, append(c.Faults, fault), weather
		c.Progress = func(p lab.Progress) {
			if p.Stage != lab.StageSettling || p.Orders == 0 || sent {
				return
			}
			sent = true
			time.Sleep(mended) // of virtual time
			redriven, err = weather.Redrive(context.Background(), "shop.held", 100)
		}
	}, func(t *testing.T, result *lab.Result) {
		if err != nil || redriven.Sent != 10 || redriven.Again != 0 {
			t.Fatalf("redriven %+v, %v, want 10", redriven, err)
		}
		r := result.Forms["messages"]
		if r.Orders.Accepted != 20 || r.Orders.Completed != 20 || r.Orders.Failed != 0 || r.Orders.Pending != 0 {
			t.Errorf("%+v, want all completed", r.Orders)
		}
		if want := 20*len(f.Steps()) + 10; r.Effects.Once != want || r.Effects.Twice != 0 {
			t.Errorf("%+v, want %d once", r.Effects, want)
		}
		if diff := cmp.Diff(&lab.Attempts{Retried: 30, DeadLetters: 10, BegunAnew: 10}, r.Attempts); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		var text strings.Builder
		if err := result.WriteText(&text, format.Style{}); err != nil || !strings.Contains(text.String(), "30, 10; 10 begun anew") {
			t.Errorf("%v: %s", err, text.String())
		}
		if len(result.Problems) > 0 {
			t.Errorf("problems %q", result.Problems)
		}
	})
}
