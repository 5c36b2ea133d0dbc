//go:build stack

package experiments

import (
	"os"
	"slices"
	"testing"

	"tracelab/experiments/verdict"
	"tracelab/lab"
)

// realBrokers are the addresses of the brokers that the stack's tests run on.
func realBrokers(t *testing.T) (kafka, rabbitmq string) {
	t.Helper()
	kafka, rabbitmq = os.Getenv("KAFKA_ADDR"), os.Getenv("RABBITMQ_ADDR")
	if kafka == "" || rabbitmq == "" {
		t.Fatal("KAFKA_ADDR or RABBITMQ_ADDR is empty: start both with `task kafka` and `task rabbitmq`, and set them to the addresses that these print")
	}
	return kafka, rabbitmq
}

// onRealBrokers runs a small claim, and returns the word on its figures, whatever a busy machine lets its gates say.
func onRealBrokers(t *testing.T, claim Claim, tamper func(*lab.Config), orders, seeds int) *Report {
	t.Helper()
	kafka, rabbitmq := realBrokers(t)
	claim.Predict = nil // no run for the constants
	var report *Report
	settings := Settings{Kafka: []string{kafka}, RabbitMQ: []string{rabbitmq}, Orders: orders, Seeds: seeds, Out: t.TempDir(), tamper: tamper}
	_, err := Run(t.Context(), settings, []Claim{claim}, func(r Report) error {
		report = &r
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// The two claims that need real brokers never hold by chance or by their own making where their arms are alike, and each sabotage changes what they say.
func TestClaimsOfRealBrokers(t *testing.T) {
	t.Run("brokers", func(t *testing.T) {
		c := brokers()
		const orders = 20
		plain := onRealBrokers(t, c, nil, orders, 1)
		if plain.alone() != verdict.Holds || plain.Evidence == nil || plain.Evidence.Seen == 0 {
			t.Errorf("%s: %s; %+v", plain.alone(), plain.Why, plain.Failed())
		}
		// Both arms over Kafka: the second one is not what it says, so the claim does not hold.
		if same := onRealBrokers(t, c, c.Alike, orders, 1); same.alone() != verdict.DoesNotHold {
			t.Errorf("alike: %s: %s", same.alone(), same.Why)
		}
		for _, s := range c.Sabotages {
			if r := onRealBrokers(t, c, s.Change, orders, 1); r.alone() != s.Want {
				t.Errorf("%s: %s, want %s: %s", s.Name, r.alone(), s.Want, r.Why)
			}
		}
	})
	t.Run("resources", func(t *testing.T) {
		c := resources()
		const orders, seeds = 60, 2
		plain := onRealBrokers(t, c, nil, orders, seeds)
		if plain.alone() == verdict.Holds {
			t.Errorf("%s: %s", plain.alone(), plain.Why)
		}
		same := onRealBrokers(t, c, c.Alike, orders, seeds)
		if same.alone() == verdict.Holds {
			t.Errorf("alike: %s: %s", same.alone(), same.Why)
		}
		more := func(r *Report) float64 { return r.verdict.Parts[0].Estimate.Value }
		for _, s := range c.Sabotages { // both arms are messages then, whose price was what refuted it
			r := onRealBrokers(t, c, s.Change, orders, seeds)
			for again := 0; again < 2 && more(r) > more(plain)/2 && (starved(plain) || starved(r)); again++ { // the price is that of caches that others emptied, too
				plain, r = onRealBrokers(t, c, nil, orders, seeds), onRealBrokers(t, c, s.Change, orders, seeds)
			}
			if r.alone() == verdict.DoesNotHold || more(r) > more(plain)/2 {
				t.Errorf("%s: %s, %.2f ms more an order, %.2f without: %s", s.Name, r.alone(), more(r), more(plain), r.Why)
			}
		}
	})
}

// starved tells whether a report says that its runs had too little of the machine.
func starved(r *Report) bool {
	return slices.ContainsFunc(r.Failed(), func(g verdict.Gate) bool { return g.Name == "process not starved" })
}
