package experiments

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// What goes wrong at the checkout.
const (
	outOfStock = "inventory:error=out_of_stock@0.2"
	declined   = "payment:error=payment_declined@0.1"
)

// Measures of the checkout.
const (
	notRefused   = "out of stock, but not refused with 409"
	paymentHeard = "in stock, but the client got an error"
	sureWait     = "caller wait of orders that nothing hits"
)

// hybridCheckout: stock is checked while the customer waits, and the rest goes by messages.
func hybridCheckout() Claim {
	const delta = 2 // ms
	return Claim{
		Name:      "hybrid-checkout",
		Statement: "check stock by a call, pay and fulfil by messages",
		Rule:      "in hybrid every order that is out of stock is refused at once (409), no client hears of a failed payment, and the wait lies between grpc's and kafka's, by more than δ on each side",
		Delta:     Amount{delta, "ms"}, Budget: 6 * time.Second, Size: Size{Orders: 100, Rate: 60, Seeds: 1}, Kind: Calm, Needs: Needs{Elsewhere: true},
		Signature: Signature{Words: "inventory.Reserve below the caller's span, by a call, and payment.Charge behind a message, after the answer", Seen: stockThenMessages},
		Predict: func(size Size, k Constants) ([]Prediction, error) {
			var list []Prediction
			for _, form := range []services.Form{services.GRPC, services.Hybrid, services.Kafka} {
				wait, _, err := predictTimes(flows.Order(), form, size, k)
				if err != nil {
					return nil, err
				}
				list = append(list, Prediction{Arm: string(form), Measure: sureWait, Value: wait})
			}
			return list, nil
		},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			config := l.Config(flows.Order(), services.GRPC, services.Hybrid, services.Kafka)
			var err error
			if config.Faults, err = parseFaults(config.Flow, outOfStock, declined); err != nil {
				return nil, err
			}
			ran, err := l.Run(ctx, config)
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, form := range config.Forms {
				refused, heard, out, in := 0, 0, 0, 0
				waits := make([]float64, 0, len(ran.Orders(form)))
				for _, o := range ran.Orders(form) {
					wait := nan()
					switch {
					case slices.Contains(o.Hit, outOfStock):
						if out++; o.Status != http.StatusConflict {
							refused++
						}
					default:
						if in++; !o.Answered() {
							heard++
						}
						if len(o.Hit) == 0 {
							wait = float64(o.CallerWait) / 1e6
						}
					}
					waits = append(waits, wait)
				}
				f.Count(string(form), notRefused, refused, max(1, out))
				f.Count(string(form), paymentHeard, heard, max(1, in))
				f.PerOrder(string(form), sureWait, "ms", waits)
			}
			paid := numbersOf(ran.Orders(services.Hybrid), spared)
			return f, l.Show(ran, services.Hybrid, paid...)
		},
		Decide: func(f Figures) (Decision, error) {
			refused, out, err := f.Share("hybrid", notRefused)
			heard, in, err2 := f.Share("hybrid", paymentHeard)
			longer, err3 := f.Difference(sureWait, "kafka", "hybrid")
			shorter, err4 := f.Difference(sureWait, "grpc", "hybrid")
			return Decision{Parts: []verdict.Part{
				{Name: "hybrid: out of stock, not refused", Estimate: verdict.Exact(float64(refused), out, "orders"), Want: verdict.AtMost(0)},
				{Name: "hybrid: errors of orders in stock", Estimate: verdict.Exact(float64(heard), in, "orders"), Want: verdict.AtMost(0)},
				{Name: "hybrid waits longer than kafka, ms", Estimate: longer, Want: verdict.MoreThan(delta)},
				{Name: "hybrid less grpc, ms", Estimate: shorter, Want: verdict.LessThan(-delta)},
			}}, errors.Join(err, err2, err3, err4)
		},
		Draw: func(f Figures) Plot {
			return f.bars("How long does the caller wait, of an order that nothing hits?", sureWait)
		},
		Alike:     func(c *lab.Config) { alike(c, services.GRPC) },
		Sabotages: []Sabotage{{Name: "stock is checked by a message", Change: func(c *lab.Config) { carryAs(c, services.Hybrid, services.Kafka) }, Want: verdict.DoesNotHold}},
	}
}

// stockThenMessages tells whether stock was reserved before the answer, and payment charged after a message.
func stockThenMessages(j *journey.Journey) error {
	wait, ok := j.CallerWait()
	reserved, had := doneAfter("inventory.Reserve")(j)
	charged, paid := doneAfter(chargeStep)(j)
	switch {
	case !ok || !had || !paid:
		return errors.New("a step of the checkout is missing")
	case reserved > milliseconds(wait):
		return errors.New("stock was reserved after the answer")
	case charged < milliseconds(wait):
		return fmt.Errorf("%s was done before the answer", chargeStep)
	}
	return carriedByMessages(j)
}
