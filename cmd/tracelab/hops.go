package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"time"

	"tracelab/internal/hint"
	"tracelab/internal/otlp"
	"tracelab/journey"
	"tracelab/journey/report"
	"tracelab/lab"
	"tracelab/services"
)

// hopsCommand is `tracelab hops`.
type hopsCommand struct {
	Form     string   `help:"The form that the order takes; also those that take early answer and broker apart, such as ack (default: the flow's own)." placeholder:"NAME"`
	Flow     string   `help:"What is done: a flow by name (tracelab flow list), or a file of your own that ends in .yaml (default ${default})." default:"order" placeholder:"NAME|FILE"`
	Seed     uint64   `help:"The same seed is the same work (default ${default})." default:"1" placeholder:"N"`
	Relation string   `help:"How a consumer's span refers to the producer's: both, parent or link (default ${default})." default:"both" placeholder:"NAME"`
	Fault    []string `sep:"none" help:"Make a service misbehave, such as orders:drop-context (repeatable). Kinds: ${faults}." placeholder:"SERVICE:KIND[=VALUE][@SHARE][,…]"`
	Link     []string `sep:"none" help:"Disturb the way from one part to another, such as 'orders>payment:latency=40ms' (repeatable). Kinds: ${links}." placeholder:"A>B:KIND[=VALUE][,…]"`
	Kafka    []string `help:"Use this Kafka instead of the embedded one." placeholder:"HOST:PORT"`
	RabbitMQ []string `name:"rabbitmq" help:"The RabbitMQ for the form rabbitmq." placeholder:"HOST:PORT"`
	Format   string   `help:"Of the report: text, or json, which comes at the end (default ${default})." enum:"text,json" default:"text" placeholder:"NAME"`
}

// hopsDeadline is how long spans may take after the answer when nobody works on the order any more.
const hopsDeadline = 3 * time.Second

// hopsTime bounds the wait for the last hop, after the answer.
const hopsTime = 15 * time.Second

// Run places one unit and prints its hops as they become known.
func (c *hopsCommand) Run(ctx context.Context, s *streams) error {
	config, form, err := c.config(s)
	if err != nil {
		return err
	}
	opened, err := lab.Open(ctx, config, 1)
	if err != nil {
		return err
	}
	err = c.follow(ctx, s, opened, form)
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	return errors.Join(err, opened.Close(ending))
}

// config is the lab's configuration, and the form.
func (c *hopsCommand) config(s *streams) (lab.Config, services.Form, error) {
	config := lab.Config{Seed: c.Seed, Deadline: hopsDeadline, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, Program: hint.Program(os.Args[0]), Version: version(), Logger: s.log}
	var err error
	if config.Flow, err = loadFlow(c.Flow); err != nil {
		return config, "", err
	}
	if err := parseConditions(&config, c.Fault, c.Link, c.Relation); err != nil {
		return config, "", usageError{err}
	}
	if config.OTLP, err = otlp.ParseDestination("", os.Getenv); err != nil { // as the standard variables say
		return config, "", usageError{err}
	}
	form := config.Flow.Default
	if c.Form != "" {
		extended, _, cornered := config.Flow.WithCorners()
		if cornered == nil { // the form may be one of the corners
			config.Flow = extended
		}
		if form, err = config.Flow.ParseForm(c.Form); err != nil {
			return config, "", usageError{fmt.Errorf("--form: %w", err)}
		}
	}
	config.Forms = []services.Form{form}
	return config, form, nil
}

// follow places the unit, and prints what is known of it until nothing more is expected.
func (c *hopsCommand) follow(ctx context.Context, s *streams, opened *lab.Live, form services.Form) error {
	answer := make(chan error, 1)
	go func() {
		_, err := opened.Place(ctx, form)
		answer <- err
	}()
	view := newHopsView(opened.Flow(), form, c, opened.Conditions().Faults)
	view.report.Broker, view.report.Stores = opened.Where().Broker, opened.Where().Stores
	if c.Format == "text" {
		if err := view.begin(s); err != nil {
			return err
		}
	}
	var late <-chan time.Time // the last hop has its time once there is an answer
	for final := false; !final; {
		changed := opened.Changed()
		now, kept := opened.Journey(lab.UnitKey{Form: form})
		final = kept && now.Final && now.State != lab.StatePlaced && now.State != lab.StateAccepted
		view.take(now, final)
		if c.Format == "text" {
			if err := view.print(s); err != nil {
				return err
			}
		}
		if final {
			break
		}
		select {
		case <-changed:
		case err := <-answer:
			if err != nil {
				return err
			}
			late = time.After(hopsTime)
			answer = nil
		case <-late:
			view.take(now, true)
			final = true
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return c.finish(s, view)
}

// finish prints the end of the report.
func (c *hopsCommand) finish(s *streams, view *hopsView) error {
	err := error(nil)
	if c.Format == "json" {
		encoder := json.NewEncoder(s.out)
		encoder.SetIndent("", "  ")
		err = encoder.Encode(view.report)
	} else {
		err = errors.Join(view.print(s), view.end(s))
	}
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if view.report.Incomplete != "" && len(c.Fault)+len(c.Link) == 0 {
		return errNotSo
	}
	return nil
}

// hopsReport is what --format json prints.
type hopsReport struct {
	Schema     string    `json:"schema"`
	Flow       string    `json:"flow"`
	Form       string    `json:"form"`
	Broker     string    `json:"broker_is"` // in words
	Stores     string    `json:"stores"`
	State      string    `json:"state"`
	Status     int       `json:"status"` // of HTTP; 0: no answer came
	Error      string    `json:"error,omitempty"`
	Traces     []string  `json:"traces"`
	Spans      int       `json:"spans"`
	Hops       []hopLine `json:"hops"`
	CallerWait *float64  `json:"caller_wait_ms"`
	Completion *float64  `json:"completion_ms"`
	Incomplete string    `json:"incomplete,omitempty"`
	Next       []string  `json:"next"`
}

// hopLine is one hop.
type hopLine struct {
	At        float64             `json:"at_ms"` // when its sender began, from the client's span on
	From      hopEnd              `json:"from"`
	To        *hopEnd             `json:"to"` // null: nobody is seen to have received it
	By        string              `json:"by"` // http, grpc, graphql, kafka or rabbitmq
	What      string              `json:"what"`
	Topic     string              `json:"topic,omitempty"`
	Partition string              `json:"partition,omitempty"`
	Offset    string              `json:"offset,omitempty"`
	Wrote     map[string][]string `json:"wrote"` // by header; a header whose value is not kept has none
	Read      map[string][]string `json:"read"`
	Changed   []hopChange         `json:"changed"`
	Notes     []string            `json:"notes"`
}

// hopEnd is the span on one side.
type hopEnd struct {
	Service string `json:"service"`
	Span    string `json:"span"`
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
}

// hopChange is a header, or one member of its list, that is not as it was when it came to the sender's service.
type hopChange struct {
	Header string `json:"header"`
	Mark   string `json:"mark"` // + added, ~ changed, - removed
	Value  string `json:"value"`
	Was    string `json:"was,omitempty"`
	Note   string `json:"note,omitempty"`
}

// lineOf is a hop as the report has it.
func lineOf(j *journey.Journey, v report.HopHeaders) hopLine {
	set := j.Set()
	from := set.Span(v.From)
	line := hopLine{At: inMilliseconds(from.Start - j.Start()), From: endOf(from), Wrote: headersOf(from), Read: map[string][]string{}, Changed: []hopChange{}, Notes: []string{}}
	about := []*journey.Span{from}
	if v.To >= 0 {
		to := set.Span(v.To)
		end := endOf(to)
		line.To, line.Read = &end, headersOf(to)
		about = append(about, to)
	} else if from.Kind == journey.KindServer || from.Kind == journey.KindConsumer { // it is the receiver whose sender is not seen
		line.Wrote, line.Read = map[string][]string{}, line.Wrote
	}
	line.carriedBy(about)
	name := ""
	for _, l := range v.Lines {
		if l.Name != "" {
			name = l.Name
		}
		if l.Mark != "" {
			line.Changed = append(line.Changed, hopChange{name, l.Mark, l.Value, l.Was, l.Note})
		}
	}
	line.Notes = append(line.Notes, v.Notes...)
	return line
}

func endOf(span *journey.Span) hopEnd {
	return hopEnd{span.ServiceName(), span.Name, span.Trace.String(), span.ID.String()}
}

func headersOf(span *journey.Span) map[string][]string {
	headers := map[string][]string{}
	for _, h := range span.Headers() {
		headers[h.Name] = append([]string{}, h.Values...)
	}
	return headers
}

func inMilliseconds(ns int64) float64 { return math.Round(float64(ns)/1e3) / 1e3 }
