//go:build stack && (linux || darwin)

package smoke_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"tracelab/internal/promapi"
	"tracelab/internal/testkit"
)

// rabbitMQIsSeen runs orders over the stack's RabbitMQ, and looks for what dashboards and alerts show of it: how long its messages wait, what its queues
// get and lose, and its orders.
func (s *system) rabbitMQIsSeen(t *testing.T) {
	const orders = 10
	r := s.run(t.Context(), t, "--forms", "grpc,kafka,rabbitmq", "--orders", "10", "--rate", "20")
	f := r.Forms["rabbitmq"]
	if len(r.Problems) > 0 || f.Orders["completed"] != orders || f.Journeys != orders || f.Incomplete != 0 {
		t.Errorf("%+v, problems %q", f, r.Problems)
	}
	for what, query := range map[string]string{
		"how long its messages wait": `sum by (messaging_destination_name) (tracelab_message_delivery_duration_seconds_count{tracelab_form="rabbitmq"})`,
		"how its queues grow":        `group_topic:backlog_growth:rate1m{messaging_destination_name="tracelab:order.placed", messaging_consumer_group_name="inventory"}`,
		"its orders":                 `form:tracelab_orders_in_flight:sum{tracelab_form="rabbitmq"}`,
	} {
		testkit.Await(t, what, time.Minute, func(ctx context.Context) error {
			samples, err := promapi.Client{URL: s.Addresses["TRACELAB_PROMETHEUS"]}.Query(ctx, query)
			if err == nil && len(samples) == 0 {
				err = errors.New("no series")
			}
			if err != nil {
				return fmt.Errorf("%s: %w", query, err)
			}
			return nil
		})
	}
}
