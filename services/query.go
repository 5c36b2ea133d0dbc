package services

import (
	"context"

	"tracelab/services/flows"
	"tracelab/services/internal/carrier/graphql"
)

// serveQueries makes the schema of what a service may ask for in a query: the steps that a form of the flow carries by graphql.
func (n *node) serveQueries() error {
	var steps []string
	for _, row := range n.flow.Rows {
		for _, column := range n.flow.Columns {
			if column.By[row.Step] == flows.GraphQL {
				steps = append(steps, string(row.Step))
				break
			}
		}
	}
	if len(steps) == 0 {
		return nil
	}
	var err error
	n.queries, err = graphql.New(n.flow.Name, steps, n.telemetry)
	return err
}

// query asks for all the steps that can be asked for now in one query. Its answer comes when all fields are resolved, so what comes after one
// of them begins then. The caller holds the lock.
func (x *execution) query(ctx context.Context, hops []hopOf) {
	if len(hops) == 0 {
		return
	}
	open := map[string]hopOf{} // fields that no resolver has ended
	var steps []string
	for _, hop := range hops {
		hop.By = flows.RPC // what a resolver calls by
		open[string(hop.Step)] = hop
		steps = append(steps, string(hop.Step))
	}
	x.running.Go(func() {
		var done []Step
		err := x.node.queries.Run(ctx, steps, func(ctx context.Context, step string) error {
			x.mu.Lock()
			hop := open[step]
			x.mu.Unlock()
			receipt, err := x.call(ctx, hop)
			x.mu.Lock()
			defer x.mu.Unlock()
			delete(open, step)
			done = append(done, asSteps(receipt.GetSteps())...)
			return err
		})
		if err != nil {
			x.mu.Lock()
			for _, hop := range open {
				x.failures = append(x.failures, withStep(err, hop.Step).Failures...)
			}
			x.mu.Unlock()
		}
		x.finished(ctx, done)
	})
}
