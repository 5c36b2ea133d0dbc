package doctor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"tracelab/services"
)

// orderWithin is how long a probe order may take to be final. In a healthy lab it takes a tenth of a second.
const orderWithin = 8 * time.Second

// order places one order and follows its state to the end. Its root is sampled when an OTLP endpoint takes it. With the topics on Kafka an
// order that hangs is looked for there.
func (p *parts) order(ctx context.Context, form services.Form, sampled, topics bool) (_ *placed, seen string, _ error) {
	var ends kadm.ListedOffsets
	if topics {
		var err error
		if ends, err = p.kafka.ends(ctx); err != nil {
			return nil, "", err
		}
	}
	waiting, cancel := withSpare(ctx)
	defer cancel()
	o, err := p.place(ctx, waiting, form, sampled)
	if err != nil {
		return nil, "", err
	}
	state, err := p.final(waiting, o)
	switch {
	case err != nil:
		return nil, "", err
	case state.Status == services.Completed:
		return o, fmt.Sprintf("order %s is completed after %v", o.id, time.Since(o.at).Round(time.Millisecond)), nil
	case state.Status == services.Failed && len(state.Failures) > 0:
		f := state.Failures[0]
		return nil, "", brokenHop(fmt.Sprintf("look at the log of %s", services.Step(f.Step).Service()), "order %s: step %s failed: %s: %s", o.id, f.Step, f.Reason, f.Detail)
	case len(ends) > 0 && needsKafka(p.config.flow(), form):
		return nil, "", p.kafka.stuck(ctx, o, state, ends)
	case form == p.config.rabbitForm():
		return nil, "", rabbitOf(p.config).stuck(ctx, o, state)
	}
	return nil, "", brokenHop("name their Kafka with --kafka, to see which topic or group it hangs at", "order %s is %s after %v; done: %s",
		o.id, state.Status, time.Since(o.at).Round(time.Millisecond), doneSteps(state))
}

// place places an order and sends its root to the first OTLP endpoint, when it is sampled. An order that was refused is an error.
func (p *parts) place(ctx, waiting context.Context, form services.Form, sampled bool) (*placed, error) {
	o, answer, err := p.probe.place(waiting, &http.Client{Transport: p.http.Transport}, p.config.Gateway, p.config.flow(), form, sampled)
	roots := p.probe.ended.take()
	var exported error
	if sampled && len(roots) > 0 {
		exported = export(ctx, p.config.OTLP[0], roots)
	}
	if err != nil { // the order is what is broken, whatever became of its span
		return nil, brokenHop("look at the gateway's log", "the order was not answered: %s", err.Error())
	}
	if exported != nil {
		return nil, exported
	}
	return o, refused(answer)
}

// withSpare ends the context a quarter of its time earlier, to leave time for finding out what went wrong.
func withSpare(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/4))
	}
	return context.WithCancel(ctx)
}

// refused makes an error of an answer that refuses an order, and returns nil for one that accepts it.
func refused(answer reply) error {
	if answer.code < http.StatusBadRequest {
		return nil
	}
	var problem struct {
		Type, Detail string
		Failures     []services.StepFailure
	}
	if err := json.Unmarshal(answer.body, &problem); err != nil || problem.Type == "" {
		return brokenHop("look at the gateway's log", "the order was refused: %s: %s", answer.status, excerpt(answer.body))
	}
	fix := "look at the logs of the gateway and of orders"
	if len(problem.Failures) > 0 {
		step := services.Step(problem.Failures[0].Step)
		fix = fmt.Sprintf("look at the log of %s, and at the address that its caller has of it (--http and --grpc SERVICE=HOST:PORT)", step.Service())
	}
	if strings.Contains(problem.Detail, "broker") {
		fix = "start the services with --kafka or --rabbitmq; the log of the one that has no broker, or does not reach it, says so"
	}
	return brokenHop(fix, "the order was refused: %s: %s: %s", answer.status, strings.TrimPrefix(problem.Type, "/problems/"), problem.Detail)
}

// final polls the order's state until it is final, or the context ends.
func (p *parts) final(ctx context.Context, o *placed) (services.State, error) {
	var state services.State
	err := until(ctx, func(ctx context.Context) error {
		var now services.State
		if err := getJSON(ctx, p.http, trimSlash(p.config.Gateway)+p.config.flow().Path+"/"+o.id, &now); err != nil {
			return brokenHop("orders keeps its state in memory: has it been restarted, or are there several of it?", "order %s was accepted, and then: %s", o.id, err.Error())
		}
		if state = now; state.Status == services.Accepted {
			return errPending
		}
		return nil
	})
	if errors.Is(err, errPending) {
		err = nil
	}
	return state, err
}

var errPending = errors.New("the order is not final")

// doneSteps lists the steps of an order that are done.
func doneSteps(state services.State) string {
	if len(state.Steps) == 0 {
		return "nothing"
	}
	names := make([]string, len(state.Steps))
	for i, step := range state.Steps {
		names[i] = string(step)
	}
	slices.Sort(names)
	return commas(names)
}
