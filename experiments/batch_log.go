package experiments

import (
	"context"
	"errors"
	"time"

	"tracelab/experiments/verdict"
	"tracelab/journey"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// Forms of the flow activity.
const (
	logByCall    services.Form = "call"
	logByMessage services.Form = "message"
	logInBatches services.Form = "batch"
)

const cpuPerRecord = "CPU time of all processes"

// batchLog: what it takes to log what a listener does.
func batchLog() Claim {
	const delta, deltaCPU = 1, 0.05 // ms
	return Claim{
		Name:      "batch-log",
		Statement: "log activity by events, don't block the stream",
		Rule:      "the listener waits shorter with the batch than with a call by more than δ, a record costs less CPU time in the batch than by a message of its own by more than 0.05 ms, and each record's journey is found from its own origin",
		Delta:     Amount{delta, "ms"}, Budget: 36 * time.Second, Size: Size{Orders: 400, Rate: 200, Seeds: 5}, Kind: Repeated, Needs: Needs{},
		Signature: Signature{Words: "one process span with a link to each record of the batch; each record's journey has its own part of it", Seen: batched},
		Measure: func(ctx context.Context, l *Lab) (Figures, error) {
			flow, err := flows.Named("activity")
			if err != nil {
				return nil, err
			}
			var arms []Arm
			for _, form := range []services.Form{logByCall, logByMessage, logInBatches} {
				arms = append(arms, Arm{Name: string(form), Config: l.Config(flow, form)})
			}
			runs, err := l.Repeat(ctx, 1, arms...) // one at a time, since all share this process's CPU time
			if err != nil {
				return nil, err
			}
			var f Figures
			for _, arm := range arms {
				var waits, cpu []float64
				for _, ran := range runs[arm.Name] {
					list, err := ran.Measure(arm.Config.Forms[0], Wait)
					if err != nil {
						return nil, err
					}
					waits, cpu = append(waits, middle(Values(list).known())), append(cpu, ran.CPUPerOrder())
				}
				f.PerRun(arm.Name, Wait, "ms", waits)
				f.PerRun(arm.Name, cpuPerRecord, "ms a record", cpu)
			}
			last := runs[string(logInBatches)]
			linked, of := 0, 0
			for _, ran := range last {
				journeys, err := ran.Journeys(logInBatches)
				if err != nil {
					return nil, err
				}
				for _, j := range journeys {
					of++
					if j != nil && batched(j) == nil {
						linked++
					}
				}
			}
			f.Count(string(logInBatches), "records that do not link to their origin", of-linked, max(1, of))
			return f, l.Show(last[0], logInBatches)
		},
		Decide: func(f Figures) (Decision, error) {
			wait, err := f.Difference(Wait, string(logByCall), string(logInBatches))
			cpu, err2 := f.Difference(cpuPerRecord, string(logByMessage), string(logInBatches))
			alone, of, err3 := f.Share(string(logInBatches), "records that do not link to their origin")
			return Decision{Parts: []verdict.Part{
				{Name: "wait, batch less call, ms", Estimate: wait, Want: verdict.LessThan(-delta)},
				{Name: "CPU, batch less message, ms a record", Estimate: cpu, Want: verdict.LessThan(-deltaCPU)},
				{Name: "records without a link", Estimate: verdict.Exact(float64(alone), of, "records"), Want: verdict.AtMost(0)},
			}}, errors.Join(err, err2, err3)
		},
		Draw:      func(f Figures) Plot { return f.bars("How long does the listener wait?", Wait) },
		Alike:     func(c *lab.Config) { alike(c, logByMessage) },
		Sabotages: []Sabotage{{Name: "batches are logged by a call each", Change: func(c *lab.Config) { carryAs(c, logInBatches, logByCall) }, Want: verdict.DoesNotHold}},
	}
}

// batched tells whether the record of a journey was handled, by a span that is linked to its origin.
func batched(j *journey.Journey) error {
	for _, m := range j.Messages() {
		for _, link := range j.Set().Span(m.Consumer).Links {
			if link.Ref == j.Set().Span(m.Producer).Ref() {
				return nil
			}
		}
	}
	return errors.New("no process span is linked to the record's send span")
}
