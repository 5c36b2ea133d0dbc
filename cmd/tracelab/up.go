package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"tracelab/experiments"
	"tracelab/internal/hint"
	"tracelab/internal/otlp"
	"tracelab/lab"
	"tracelab/page"
	"tracelab/services/flows"
)

// upCommand is `tracelab up`.
type upCommand struct {
	Listen   string   `help:"Where the page is: an address of this machine's loopback; when its port is taken, the next free one (default ${default})." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	Flow     string   `help:"What is done: a flow by name (tracelab flow list), or a file of your own that ends in .yaml (default ${default})." default:"order" placeholder:"NAME|FILE"`
	Seed     uint64   `help:"The same seed is the same work (default ${default})." default:"1" placeholder:"N"`
	Relation string   `help:"How a consumer's span refers to the producer's, to begin with: both, parent or link (default ${default})." default:"both" placeholder:"NAME"`
	Fault    []string `sep:"none" help:"Make a service misbehave from the start, such as payment:delay=200ms@0.5 (repeatable). The page changes it. Kinds: ${faults}." placeholder:"SERVICE:KIND[=VALUE][@SHARE][,…]"`
	Link     []string `sep:"none" help:"Disturb the way from one part to another from the start, such as 'orders>payment:latency=40ms' (repeatable). The page changes it. Kinds: ${links}." placeholder:"A>B:KIND[=VALUE][,…]"`
	Instance []string `name:"instances" help:"Instances of a service in this process, in one consumer group." placeholder:"SERVICE=N,…"`

	Store       string   `help:"Where services keep the state of orders, the steps that were done, and messages that wait: a file, or a PostgreSQL (default: in memory)." placeholder:"FILE|URL"`
	Kafka       []string `help:"Use this Kafka instead of the embedded one." placeholder:"HOST:PORT"`
	RabbitMQ    []string `name:"rabbitmq" help:"The RabbitMQ for the form rabbitmq." placeholder:"HOST:PORT"`
	Target      string   `help:"Drive services that run elsewhere: the URL of their gateway." placeholder:"URL"`
	ReceiveOTLP string   `name:"receive-otlp" help:"Take their spans here: OTLP over gRPC, and over HTTP on the next port." placeholder:"HOST:PORT"`
	Jaeger      string   `help:"Fetch their spans from this Jaeger instead, through api/v3, and link to its pages." placeholder:"URL|grpc://HOST:PORT"`
	OTLP        string   `name:"otlp" help:"Also send every span, and metrics, to this collector, or spans to Jaeger: host:port for gRPC, a URL for HTTP." placeholder:"ADDR"`
	Recent      int      `help:"Journeys that the page keeps (default ${default})." default:"200" placeholder:"N"`
}

// closeTime is how long the lab may take to end.
const closeTime = 10 * time.Second

// mostRecent bounds the journeys that the page keeps: each may have hundreds of spans.
const mostRecent = 5000

// Run serves the page at once, starts the lab behind it, and ends both at Ctrl-C.
func (c *upCommand) Run(ctx context.Context, s *streams) error {
	config, text, err := c.config(s)
	if err != nil {
		return err
	}
	listener, taken, err := page.Listen(c.Listen)
	if err != nil {
		return usageError{fmt.Errorf("--listen: %w", err)}
	}
	if taken {
		s.talk("%s is taken: the page is at the next free port", c.Listen)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	server := c.page(s, config, text)
	served := make(chan error, 1)
	go func() {
		served <- server.Serve(ctx, listener)
		stop() // without its page, nobody sees the lab
	}()
	if err := s.say("the lab is at %s; Ctrl-C ends it", addressOf(listener)); err != nil {
		stop()
		return errors.Join(err, <-served)
	}
	err = c.keepUp(ctx, s, server, config)
	stop()
	return errors.Join(err, <-served)
}

// keepUp opens the lab, shows it on the page, and closes it when the context ends.
func (c *upCommand) keepUp(ctx context.Context, s *streams, server *page.Server, config lab.Config) error {
	opened, err := lab.Open(ctx, config, c.Recent)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // told to stop before it was up
	case err != nil:
		server.Fail(err)
		return err
	}
	server.Use(opened)
	s.talk("ready: open that address and place the first %s", opened.Flow().Unit)
	<-ctx.Done()
	s.talk("ending…")
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
	defer cancel()
	return server.Lab().Close(ending) // the page may have opened another one
}

// page is the server of the page.
func (c *upCommand) page(s *streams, config lab.Config, flow string) *page.Server {
	settings := page.Config{
		Version: version(), Program: config.Program, Jaeger: c.Jaeger, FlowText: flow, Logger: s.log,
		Claims: experiments.Settings{Seed: c.Seed, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, Program: config.Program, Version: version(), Logger: s.log},
	}
	if c.Target == "" && c.ReceiveOTLP == "" && c.Store == "" { // else there can be no second one
		settings.Reopen = func(ctx context.Context, f *flows.Flow, _ string) (*lab.Live, error) {
			other := config
			other.Flow, other.FlowFile, other.Faults, other.Links, other.Instances = f, "", nil, nil, nil
			return lab.Open(ctx, other, c.Recent)
		}
	}
	return page.New(nil, settings)
}

// addressOf is the URL of a listener.
func addressOf(listener net.Listener) string { return "http://" + listener.Addr().String() }

// config is the lab's configuration, and the text of its flow. Its errors are usage errors, or those of a flow's file.
func (c *upCommand) config(s *streams) (config lab.Config, text string, err error) {
	config = lab.Config{
		Seed: c.Seed, Store: c.Store, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, Target: c.Target, ReceiveOTLP: c.ReceiveOTLP, Jaeger: c.Jaeger,
		Program: hint.Program(os.Args[0]), Version: version(), Logger: s.log,
	}
	if c.Recent < 1 || c.Recent > mostRecent {
		return config, "", usageError{fmt.Errorf("--recent: use a number from 1 to %d", mostRecent)}
	}
	source, err := flows.LoadSource(c.Flow) // once, since it may be a pipe
	if err == nil {
		config.Flow, err = flows.Parse(c.Flow, source)
	}
	if err != nil {
		return config, "", unreadFlow(err)
	}
	if flows.IsFile(c.Flow) {
		if config.FlowFile, err = filepath.Abs(c.Flow); err != nil {
			return config, "", err
		}
	}
	if err := c.conditions(&config); err != nil {
		return config, "", usageError{err}
	}
	return config, string(source), nil
}

// conditions reads what units meet, and where spans go.
func (c *upCommand) conditions(config *lab.Config) (err error) {
	if config.Instances, err = parseInstances(c.Instance); err != nil {
		return err
	}
	if err := parseConditions(config, c.Fault, c.Link, c.Relation); err != nil {
		return err
	}
	if config.OTLP, err = otlp.ParseDestination(c.OTLP, os.Getenv); err != nil {
		return fmt.Errorf("--otlp %w", err)
	}
	return nil
}
