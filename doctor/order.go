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

	"tracelab/services"
)

// orderPatience is how long a probe order may take to be final: a healthy one takes a tenth of a second.
const orderPatience = 8 * time.Second

// order places one order and follows its state to the end.
func (e *examination) order(ctx context.Context, form services.Form) (string, error) {
	e.countBefore(ctx)
	marks, err := e.ends(ctx)
	if err != nil {
		return "", err
	}
	waiting, cancel := withSpare(ctx)
	defer cancel()
	o, answer, err := e.probe.place(waiting, &http.Client{Transport: e.http.Transport}, e.config.Gateway, form, e.sent != nil)
	if err != nil {
		if roots := e.probe.ended.take(); o != nil && o.sent {
			_ = e.export(ctx, e.config.OTLP[0], roots) // the order is what is broken
		}
		return "", brokenHop("look at the gateway's log", "the order was not answered: %s", err.Error())
	}
	e.orders[form] = o
	refusal := refused(answer)
	if roots := e.probe.ended.take(); o.sent {
		if err := e.export(ctx, e.config.OTLP[0], roots); err != nil {
			return "", err
		}
	}
	if refusal != nil {
		return "", refusal
	}
	state, err := e.final(waiting, o)
	switch {
	case err != nil:
		return "", err
	case state.Status == services.Completed:
		return fmt.Sprintf("order %s is completed after %v", o.id, time.Since(o.at).Round(time.Millisecond)), nil
	case state.Status == services.Failed && len(state.Failures) > 0:
		f := state.Failures[0]
		return "", brokenHop(fmt.Sprintf("look at the log of %s", services.Step(f.Step).Service()), "order %s: step %s failed: %s: %s", o.id, f.Step, f.Reason, f.Detail)
	case len(marks) > 0 && form == services.Kafka:
		return "", e.stuck(ctx, o, state, marks)
	}
	return "", brokenHop("name their Kafka with --kafka, to see which topic or group it hangs at", "order %s is %s after %v; done: %s",
		o.id, state.Status, time.Since(o.at).Round(time.Millisecond), done(state))
}

// withSpare keeps a quarter of the time for a closer look at what did not come.
func withSpare(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-time.Until(deadline)/4))
	}
	return context.WithCancel(ctx)
}

// refused reads an answer that is no order.
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
		fix = "start the services with --kafka; the log of the one that has no broker, or does not reach it, says so"
	}
	return brokenHop(fix, "the order was refused: %s: %s: %s", answer.status, strings.TrimPrefix(problem.Type, "/problems/"), problem.Detail)
}

// final asks for the order's state until it does not change any more, or the time is over.
func (e *examination) final(ctx context.Context, o *placed) (services.State, error) {
	var state services.State
	err := until(ctx, func(ctx context.Context) error {
		var now services.State
		if err := getJSON(ctx, e.http, base(e.config.Gateway)+"/orders/"+o.id, &now); err != nil {
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

func done(state services.State) string {
	if len(state.Steps) == 0 {
		return "nothing"
	}
	names := make([]string, len(state.Steps))
	for i, step := range state.Steps {
		names[i] = string(step)
	}
	slices.Sort(names)
	return list(names)
}
