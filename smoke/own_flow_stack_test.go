//go:build stack && (linux || darwin)

package smoke_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
)

// ownFlow has names that stand nowhere else, and all that the dashboards have panels for.
const ownFlow = "smoke/testdata/bakery.yaml"

// runOwnFlow runs it once in the process of the command, which tells the stack's collector of it, with enough harm for every panel: on a Kafka of its own,
// or on the brokers, where its topics and queues have a prefix.
func (s *system) runOwnFlow(ctx context.Context, t *testing.T, brokers ...string) {
	t.Helper()
	elsewhere := &system{root: s.root, program: s.program}
	elsewhere.Addresses = map[string]string{"TRACELAB_OTLP": s.Addresses["TRACELAB_OTLP"]}
	for _, broker := range brokers {
		elsewhere.Addresses["TRACELAB_"+broker] = s.Addresses[broker+"_ADDR"]
	}
	elsewhere.run(ctx, t, "--flow", filepath.Join(s.root, ownFlow), "--forms", "all", "--orders", "60", "--rate", "40", "--store", filepath.Join(t.TempDir(), "store.db"),
		"--fault", "oven:error=broken@0.4", "--fault", "oven:delay=400ms@0.1", "--fault", "shelf:hang=300ms@0.2")
}

// anOwnFlowFillsEveryVariable: every variable of a dashboard offers the names of a flow that nobody has seen, and no other flow's once it is chosen.
func (s *system) anOwnFlowFillsEveryVariable(t *testing.T) {
	s.runOwnFlow(t.Context(), t, "KAFKA", "RABBITMQ")
	for name, of := range map[string]struct {
		series, label string
		want          []string
	}{
		"flow":    {`tracelab_orders_total`, "tracelab_flow", []string{"bakery", "order"}},
		"service": {`traces_span_metrics_calls_total{tracelab_flow="bakery"}`, "service_name", []string{"client", "counter", "gateway", "oven", "shelf"}},
		"form":    {`tracelab_orders_total{tracelab_flow="bakery"}`, "tracelab_form", []string{"baked", "called", "glance", "posted", "trays"}},
		"step":    {`traces_span_metrics_calls_total{tracelab_flow="bakery"}`, "tracelab_step", []string{"counter.Settle", "counter.Take", "oven.Bake", "shelf.Put"}},
		"topic": {`messaging_client_sent_messages_total{tracelab_flow="bakery"}`, "messaging_destination_name", []string{"loaf.baked", "loaf.changed", "loaf.failed", "loaf.ordered", "loaf.ordered.dlq", "loaf.settled",
			"tracelab.dead:loaf.ordered", "tracelab:loaf.baked", "tracelab:loaf.failed", "tracelab:loaf.ordered", "tracelab:loaf.settled"}},
	} {
		t.Run(name, func(t *testing.T) {
			await(t, func() error {
				got, err := s.labelValues(t.Context(), of.series, of.label)
				if err != nil || !slices.Equal(got, of.want) {
					return errors.Join(err, fmt.Errorf("variable %s offers %q, want %q", name, got, of.want))
				}
				return nil
			})
		})
	}
}

// labelValues is what Grafana asks for label_values(SERIES, LABEL).
func (s *system) labelValues(ctx context.Context, series, label string) ([]string, error) {
	var answer struct{ Data []string }
	err := s.get(ctx, s.Addresses["TRACELAB_PROMETHEUS"]+"/api/v1/label/"+label+"/values?match[]="+url.QueryEscape(series), &answer)
	return answer.Data, err
}
