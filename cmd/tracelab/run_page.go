package main

import (
	"context"
	"fmt"
	"slices"

	"tracelab/internal/traceset"
	"tracelab/journey/report"
	"tracelab/lab"
	"tracelab/lab/rundir"
	"tracelab/services"
	"tracelab/services/flows"
)

// maxPageOrders is how many orders a run with a page may have, over all forms: a page needs all their spans in memory.
const maxPageOrders = 20_000

// checkPage refuses a page of too many orders.
func (c *runCommand) checkPage(config lab.Config) error {
	forms := len(config.Forms)
	if forms == 0 {
		forms = len(config.Flow.DefaultForms())
	}
	if c.Format == "html" && c.Orders*forms > maxPageOrders {
		return fmt.Errorf("--format html holds all spans of the run in memory: use at most %d orders in all, or --format text and `compare` with the forms that you want to see", maxPageOrders)
	}
	return nil
}

// writeRunPage writes a run as one HTML page: its forms against each other as `compare` shows them, from its directory, with
// the sums and remarks of its report.
func writeRunPage(ctx context.Context, s *streams, flow *flows.Flow, result *lab.Result) error {
	c := compareCommand{Pair: rundir.NumberKey, Format: "html"}
	q, err := c.question()
	if err != nil {
		return err
	}
	limitMemory(readingLimit) // the run is over
	inputs, err := resolve(c.resolver(s), []string{result.Dir})
	if err != nil {
		return err
	}
	run, ok := inputs[0].(traceset.Run)
	if !ok {
		return fmt.Errorf("%s is no run directory any more", result.Dir)
	}
	names := slices.Clone(run.Forms)
	if i := slices.Index(names, result.Base); i > 0 {
		names = slices.Insert(slices.Delete(names, i, i+1), 0, result.Base)
	}
	names = slices.DeleteFunc(names, func(name string) bool { // a view does less than the others, and is compared by its staleness
		f := result.Forms[services.Form(name)]
		return f != nil && f.Staleness != nil && len(names) > 1
	})
	var forms []traceset.Input
	for _, name := range names {
		forms = append(forms, traceset.Form{Run: run, Form: name, Short: true})
	}
	compared, err := q.groups(ctx, forms)
	if err != nil {
		return err
	}
	return report.Comparison{
		Title: "Run " + result.Run, Of: compared.comparison, Color: formColor, Findings: compared.findings,
		About: slices.Concat(run.About(), result.StalenessNotes(), result.Notes()), Squares: squares(flow, result),
	}.WriteHTML(s.out)
}

// squares lays out what the early answer and the broker change, when the run has all four corners.
func squares(flow *flows.Flow, result *lab.Result) []report.Square {
	_, corners, err := flow.WithCorners()
	if err != nil || len(result.Square) == 0 {
		return nil
	}
	var list []report.Square
	for _, effect := range result.Square {
		i := slices.IndexFunc(list, func(s report.Square) bool { return s.Measure == effect.Measure })
		if i < 0 {
			i = len(list)
			list = append(list, report.Square{
				Measure: effect.Measure, Rows: [2]string{"calls", "messages"}, Columns: [2]string{"an answer when done", "an early answer"}, Marked: effect.Marked,
				Groups: [2][2]string{{string(corners.Calls), string(corners.Ack)}, {string(corners.Reply), string(corners.Messages)}},
			})
		}
		s := &list[i]
		switch effect.Effect {
		case lab.EarlyWithCalls:
			s.Across[0] = effect.Difference
		case lab.EarlyWithMessages:
			s.Across[1] = effect.Difference
		case lab.BrokerWhenDone:
			s.Down[0] = effect.Difference
		case lab.BrokerWhenEarly:
			s.Down[1] = effect.Difference
		case lab.Interaction:
			s.Interaction = effect.Difference
		}
	}
	return list
}
