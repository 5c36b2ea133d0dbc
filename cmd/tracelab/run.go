package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"tracelab/internal/hint"
	"tracelab/internal/otlp"
	"tracelab/internal/traceset"
	"tracelab/internal/vocabulary"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// runCommand is `tracelab run`.
type runCommand struct {
	Forms    []string      `help:"Forms to compare; all, or corners for the four that take early answer and broker apart (default rest,grpc,kafka,hybrid)." placeholder:"FORM,…"`
	Base     string        `help:"The form that the others are compared with (default: grpc, or the first of --forms without it)." placeholder:"FORM"`
	Orders   int           `help:"Orders of each form (default ${default})." default:"25" placeholder:"N"`
	Rate     *float64      `help:"Orders per second over all forms, as intended start times (an open loop) (default 80)." placeholder:"N"`
	Surge    string        `help:"Multiply that rate for a part of the run, such as 2s:1s:5 for five times as many from 2s to 3s." placeholder:"TIME:LENGTH:TIMES"`
	Clients  *int          `help:"Clients that place the orders instead, each its next one when it has its answer (a closed loop)." placeholder:"N"`
	Think    time.Duration `help:"How long each of these clients thinks before an order (default: not at all)." placeholder:"DURATION"`
	Seed     uint64        `help:"The same seed is the same work (default ${default})." default:"1" placeholder:"N"`
	Flow     string        `help:"What is done: a flow by name (tracelab flow list), or a file of your own that ends in .yaml (default ${default})." default:"order" placeholder:"NAME|FILE"`
	Relation string        `help:"How a consumer's span refers to the producer's: both, parent, link; or kotel, a lab whose Kafka clients use that library as shipped (default ${default})." default:"both" placeholder:"NAME"`
	Fault    []string      `sep:"none" help:"Make a service misbehave, such as payment:delay=200ms@0.5 (repeatable). Behind it may stand ,from=2s,to=4s for a part of the run and ,attempt=1 for that attempt only. Kinds: ${faults}." placeholder:"SERVICE:KIND[=VALUE][@SHARE][,…]"`
	Event    []string      `help:"Do something to a service, or to the embedded Kafka (kafka), at a time of the run, such as 2s:kill:payment (repeatable). A Kafka at --kafka and a RabbitMQ have their own supervisors. Kinds: ${events}." placeholder:"TIME:WHAT:PART"`
	Link     []string      `sep:"none" help:"Disturb the way from one part (a service, or the client) to another (a service, kafka or rabbitmq, whoever started it), such as 'orders>payment:latency=40ms' (repeatable). Kinds: ${links}." placeholder:"A>B:KIND[=VALUE][,…]"`
	Workers  []string      `help:"Records that a service works on at the same time; SERVICE=N for the calls and records of one (default ${default})." default:"32" placeholder:"N|SERVICE=N,…"`
	Instance []string      `name:"instances" help:"Instances of a service in this process, in one consumer group; --event takes SERVICE/N for one of them, SERVICE for all." placeholder:"SERVICE=N,…"`
	Parts    *int          `name:"partitions" help:"Partitions of each topic at Kafka: so many consumers of a group have work at a time (default 8)." placeholder:"N"`
	Mailbox  int           `help:"Orders that the form ack carries on with after its answer; more are refused (default ${default})." default:"1000" placeholder:"N"`
	NoDedupe bool          `help:"Do a step again when its message is delivered again."`
	WarmUp   int           `help:"Orders of each form before the others, left out of everything; again and again until their medians agree; 0 for none (default ${default})." default:"3" placeholder:"N"`
	Timeout  time.Duration `help:"How long the client waits for an answer (default ${default})." default:"5s" placeholder:"DURATION"`
	Deadline time.Duration `help:"How long to wait, after the last answer, for every order to be final (default ${default})." default:"10s" placeholder:"DURATION"`

	Store       string   `help:"Where services keep the state of orders, the steps that were done, and messages that wait: a file, or a PostgreSQL (default: in memory)." placeholder:"FILE|URL"`
	NoOutbox    bool     `help:"Where there is an outbox (with such a store, or by the flow's file): send an order's first message and then answer, instead of writing both in one transaction and sending from there."`
	Kafka       []string `help:"Use this Kafka instead of the embedded one." placeholder:"HOST:PORT"`
	RabbitMQ    []string `name:"rabbitmq" help:"The RabbitMQ for the form rabbitmq." placeholder:"HOST:PORT"`
	Classic     bool     `help:"Make classic queues at that RabbitMQ instead of quorum queues."`
	Keep        bool     `help:"Leave the run's topics, groups and queues on that Kafka and RabbitMQ."`
	Target      string   `help:"Drive services that run elsewhere: the URL of their gateway." placeholder:"URL"`
	ReceiveOTLP string   `name:"receive-otlp" help:"Take their spans here: OTLP over gRPC, and over HTTP on the next port." placeholder:"HOST:PORT"`
	Jaeger      string   `help:"Fetch their spans from this Jaeger instead, through api/v3, and link to its pages." placeholder:"URL|grpc://HOST:PORT"`
	OTLP        string   `name:"otlp" help:"Also send every span, and metrics, to this collector, or spans to Jaeger: host:port for gRPC, a URL for HTTP." placeholder:"ADDR"`
	Sample      float64  `help:"Share of the orders whose spans are sent there; the report sees every order (default ${default})." default:"1" placeholder:"RATIO"`

	Polls    bool   `help:"Make spans of polls and commits, too: traces of their own, which serve several orders or none."`
	Headers  bool   `help:"Keep on each span what crossed its hop (traceparent, tracestate, baggage; other headers by name alone), for journey --headers."`
	Host     string `help:"host.id and host.name of the spans that are made here: the same as for serve (default: this machine's name)." placeholder:"NAME"`
	Profiles string `help:"Keep CPU profiles of this process in this folder, one for each form, and say where the CPU time of an order went." placeholder:"DIR"`

	Out    string `help:"Where run directories go (default ${default})." default:"runs" placeholder:"DIR"`
	Format string `help:"Of the report: text, json, html (one page) or markdown (for a comment on a pull request) (default ${default})." enum:"text,json,html,markdown" default:"text" placeholder:"NAME"`
}

// Run does the run and prints its report.
func (c *runCommand) Run(ctx context.Context, s *streams) error {
	config, err := c.config(s)
	if _, unread := errors.AsType[*traceset.ReadError](err); unread {
		return err
	}
	if err != nil {
		return usageError{err}
	}
	collectRarely()
	limitMemory(runLimit)
	config.EndEarly = ctx.Done() // the first Ctrl-C ends the run early; the second ends the process, see main
	progress := newProgress(s.err)
	config.Progress = progress.show
	result, err := lab.Run(context.WithoutCancel(ctx), config)
	progress.clear()
	if err != nil {
		return err
	}
	if err := c.write(context.WithoutCancel(ctx), s, config.Flow, result); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if len(result.Problems) > 0 || result.EndedEarly {
		return errNotSo
	}
	return nil
}

// write prints the report.
func (c *runCommand) write(ctx context.Context, s *streams, flow *flows.Flow, result *lab.Result) error {
	switch c.Format {
	case "json":
		encoder := json.NewEncoder(s.out)
		encoder.SetIndent("", "  ")
		return encoder.Encode(result)
	case "html":
		return writeRunPage(ctx, s, flow, result)
	case "markdown":
		return result.WriteMarkdown(s.out)
	}
	return result.WriteText(s.out, terminalOf(s.out))
}

// runnable lists the forms of a flow that the brokers of a run can carry.
func runnable(flow *flows.Flow, rabbitmq []string, target string) []services.Form {
	if len(rabbitmq) > 0 || target != "" {
		return flow.Forms()
	}
	without := flow.FormsBy(flows.RabbitMQ)
	return slices.DeleteFunc(flow.Forms(), func(form services.Form) bool { return slices.Contains(without, form) })
}

func (c *runCommand) config(s *streams) (lab.Config, error) {
	config := lab.Config{
		Orders: c.Orders, Think: c.Think, Seed: c.Seed, Mailbox: c.Mailbox, Polls: c.Polls, NoDedupe: c.NoDedupe, WarmUp: c.WarmUp, Base: services.Form(c.Base),
		Timeout: c.Timeout, Deadline: c.Deadline, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, ClassicQueues: c.Classic, Keep: c.Keep, Store: c.Store, NoOutbox: c.NoOutbox, Target: c.Target,
		ReceiveOTLP: c.ReceiveOTLP, Jaeger: c.Jaeger, Unsent: 1 - c.Sample, Profiles: c.Profiles, Headers: c.Headers, Host: c.Host, Out: c.Out, Program: hint.Program(os.Args[0]), Version: version(), Logger: s.log,
	}
	for _, flag := range []struct { // 0 is a default to the lab, and a slip of the hand here
		name string
		ok   bool
	}{
		{"orders", c.Orders != 0}, {"rate", c.Rate == nil || *c.Rate != 0}, {"clients", c.Clients == nil || *c.Clients != 0}, {"partitions", c.Parts == nil || *c.Parts != 0}, {"mailbox", c.Mailbox != 0}, {"timeout", c.Timeout > 0}, {"deadline", c.Deadline > 0},
	} {
		if !flag.ok {
			return config, fmt.Errorf("--%s: use a positive value", flag.name)
		}
	}
	if c.Rate != nil {
		config.Rate = *c.Rate
	}
	if c.Surge != "" {
		var err error
		if config.Surge, err = lab.ParseSurge(c.Surge); err != nil {
			return config, err
		}
	}
	if c.Clients != nil {
		config.Clients = *c.Clients
	}
	if c.Parts != nil {
		config.Partitions = *c.Parts
	}
	var err error
	if config.Flow, err = loadFlow(c.Flow); err != nil {
		return config, err
	}
	if flows.IsFile(c.Flow) {
		if config.FlowFile, err = filepath.Abs(c.Flow); err != nil {
			return config, err
		}
	}
	if config.Workers, config.WorkersOf, err = parseWorkers(config.Flow, c.Workers); err != nil {
		return config, err
	}
	if config.Instances, err = parseInstances(c.Instance); err != nil {
		return config, err
	}
	switch {
	case slices.Equal(c.Forms, []string{"all"}):
		c.Forms = formNames(runnable(config.Flow, c.RabbitMQ, c.Target))
	case slices.Equal(c.Forms, []string{"corners"}):
		extended, corners, err := config.Flow.WithCorners()
		if err != nil {
			return config, fmt.Errorf("--forms corners: %w", err)
		}
		config.Flow, c.Forms = extended, formNames(corners.Forms())
	}
	for _, name := range c.Forms {
		form, err := config.Flow.ParseForm(name)
		if err != nil {
			return config, fmt.Errorf("--forms: %w", err)
		}
		config.Forms = append(config.Forms, form)
	}
	if err := c.checkPage(config); err != nil {
		return config, err
	}
	if config.Faults, err = parseFaults(config.Flow, c.Fault); err != nil {
		return config, err
	}
	for _, text := range c.Event {
		event, err := lab.ParseEvent(config.Flow, text)
		if err != nil {
			return config, err
		}
		config.Events = append(config.Events, event)
	}
	if config.Links, err = parseLinks(config.Flow, c.Link); err != nil {
		return config, err
	}
	if config.OTLP, err = otlp.ParseDestination(c.OTLP, os.Getenv); err != nil {
		return config, fmt.Errorf("--otlp %w", err)
	}
	if config.Kotel = c.Relation == "kotel"; !config.Kotel {
		if config.Relation, err = services.ParseRelation(c.Relation); err != nil {
			if unknown, ok := errors.AsType[*vocabulary.UnknownError](err); ok {
				unknown.Known = append(unknown.Known, "kotel")
			}
			return config, err
		}
	}
	return config, nil
}
