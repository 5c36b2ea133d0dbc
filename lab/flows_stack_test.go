//go:build stack

package lab_test

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// overRabbitMQ is a built-in flow whose messages all go over RabbitMQ, batches and the updates of a view among them.
func overRabbitMQ(t *testing.T, name string) *flows.Flow {
	t.Helper()
	text, err := flows.Source(name)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.ReplaceAll(text, []byte("\n  rabbitmq: {each: rabbitmq"), []byte("\n  second: {each: rabbitmq"))
	text = bytes.ReplaceAll(text, []byte(" kafka"), []byte(" rabbitmq"))
	f, err := flows.Parse(name+".yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestEveryFlowOnRealBrokers runs the forms with messages of each built-in flow on a real Kafka and a real RabbitMQ, as they are, and all over RabbitMQ:
// batches, a view and a query over GraphQL among them.
func TestEveryFlowOnRealBrokers(t *testing.T) {
	kafka, rabbitmq := kafkaAddress(t), rabbitAddress(t)
	for _, name := range []string{"order", "ride", "reaction", "profile", "activity"} {
		for kind, f := range map[string]*flows.Flow{"as it is": named(name), "all over RabbitMQ": overRabbitMQ(t, name)} {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel() // it waits, mostly
				var forms []services.Form
				for _, form := range f.Forms() {
					if f.ViewOf(form) != nil || slices.ContainsFunc([]flows.Carrier{flows.KafkaLog, flows.RabbitMQ, flows.GraphQL}, func(by flows.Carrier) bool { return slices.Contains(f.FormsBy(by), form) }) {
						forms = append(forms, form)
					}
				}
				const orders = 8
				result, err := lab.Run(t.Context(), lab.Config{
					Flow: f, Forms: forms, Orders: orders, Rate: 40, WarmUp: 1, Seed: 1, Kafka: []string{kafka}, RabbitMQ: []string{rabbitmq},
					Timeout: 30 * time.Second, Deadline: 60 * time.Second, Out: t.TempDir(), Version: "test",
				})
				if err != nil {
					t.Fatal(err)
				}
				balanced(t, result)
				if len(result.Problems) > 0 || len(result.Forms) != len(forms) {
					t.Errorf("%d forms of %d, problems %q", len(result.Forms), len(forms), result.Problems)
				}
				for form, r := range result.Forms {
					if r.Orders.Completed != orders || r.Journeys != orders || r.Effects.Twice > 0 {
						t.Errorf("%s: %+v, %+v, %d journeys complete", form, r.Orders, r.Effects, r.Journeys)
					}
				}
			})
		}
	}
}
