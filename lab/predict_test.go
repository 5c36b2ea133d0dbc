package lab_test

import (
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"tracelab/internal/testkit"
	"tracelab/journey"
	"tracelab/journey/compare"
	"tracelab/journey/predict"
	"tracelab/lab"
	"tracelab/services"
)

// measuredForms runs orders of three forms in virtual time, where only what the costs of the steps and this test say takes any.
func measuredForms(t *testing.T, queue time.Duration) map[services.Form][]*journey.Journey {
	t.Helper()
	forms := map[services.Form][]*journey.Journey{}
	out := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		network := &slowNetwork{virtualNetwork: &virtualNetwork{}, answer: 400 * time.Microsecond}
		cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.ListenFn(network.Listen), kfake.SleepOutOfOrder())
		if err != nil {
			t.Fatal(err)
		}
		stop := queueFor(t, cluster, network.virtualNetwork, queue)
		defer func() {
			stop()
			cluster.Close()
			time.Sleep(time.Second) // for what is under way
		}()
		network.brokers = cluster.ListenAddrs()
		result, err := lab.Run(t.Context(), lab.Config{
			OneRate: true, Forms: []services.Form{services.GRPC, services.Kafka, services.Hybrid}, Orders: predictedOrders, WarmUp: 1, Windows: 1, Rate: 6, Seed: 1, Out: out, Version: "test",
			Network: network.network(), Kafka: cluster.ListenAddrs(),
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range []services.Form{services.GRPC, services.Kafka, services.Hybrid} {
			for _, d := range group(t, result, form) {
				forms[form] = append(forms[form], d.Journey)
			}
		}
	})
	return forms
}

// predictedOrders is how many orders of each form are measured: as few as have a p95.
const predictedOrders = 20

// predicted predicts one form from another and reports whether the medians of caller wait and completion are right, within 5 % or 1 ms.
func predicted(t *testing.T, forms map[services.Form][]*journey.Journey, from, to services.Form, options ...predict.Option) (c predict.Check, right bool) {
	t.Helper()
	options = append([]predict.Option{predict.Like(string(to), forms[to]), predict.From(string(to), forms[to])}, options...)
	p, err := predict.Predict(forms[from], options...)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Journeys) != predictedOrders {
		t.Fatalf("%d journeys", len(p.Journeys))
	}
	c = p.Check(string(to), forms[to], compare.ByAttribute(services.KeyNumber))
	t.Logf("%s from %s: %v", to, from, p.Turned)
	for _, x := range c.Residuals {
		t.Logf("%s: median residual %.3f ms, 95 %% within %.3f ms", x.Measure, *x.Median, *x.P95)
	}
	t.Logf("caller wait: predicted %.3f, measured %.3f; completion: predicted %.3f, measured %.3f", *p.Predicted.CallerWait.Median, *c.Measured.CallerWait.Median,
		*p.Predicted.Completion.Median, *c.Measured.Completion.Median)
	right = len(c.Warnings) == 0
	for _, x := range []struct{ predicted, measured *compare.Summary }{{p.Predicted.CallerWait, c.Measured.CallerWait}, {p.Predicted.Completion, c.Measured.Completion}} {
		right = right && math.Abs(*x.predicted.Median-*x.measured.Median) <= max(1, *x.measured.Median/20)
	}
	return c, right
}

func TestPredictionsAreRight(t *testing.T) {
	testkit.Unraced(t, "TestAccountsOfAHealthyRun")
	t.Parallel() // in virtual time
	forms := measuredForms(t, 0)
	for _, c := range []struct{ from, to services.Form }{
		{services.GRPC, services.Kafka}, {services.GRPC, services.Hybrid}, {services.Kafka, services.GRPC}, {services.Hybrid, services.GRPC},
		{services.Hybrid, services.Kafka}, {services.Kafka, services.Hybrid},
	} {
		check, right := predicted(t, forms, c.from, c.to)
		for _, x := range check.Residuals {
			if x.N != predictedOrders || math.Abs(*x.Median) > 0.6 {
				t.Errorf("%s from %s, %s: median residual %.3f ms of %d pairs", c.to, c.from, x.Measure, *x.Median, x.N)
			}
		}
		if !right {
			t.Errorf("%s from %s: a median is off by more than 5 %% and 1 ms", c.to, c.from)
		}
	}
}

// With 20 ms in every queue a prediction is still right, and one by messages that cost nothing is not.
func TestPredictionsKnowWhatQueuesCost(t *testing.T) {
	testkit.Unraced(t, "TestAccountsOfAHealthyRun")
	t.Parallel() // in virtual time
	forms := measuredForms(t, 20*time.Millisecond)
	for _, to := range []services.Form{services.Kafka, services.Hybrid} {
		if _, right := predicted(t, forms, services.GRPC, to); !right {
			t.Errorf("%s: a median is off", to)
		}
		if _, right := predicted(t, forms, services.GRPC, to, predict.WithPublish(0), predict.WithDelivery(0)); right {
			t.Errorf("%s: messages that cost nothing predict it as well", to)
		}
	}
	if _, right := predicted(t, forms, services.Kafka, services.GRPC); !right {
		t.Error("grpc: a median is off")
	}
}
