package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"tracelab/experiments"
	"tracelab/internal/hint"
)

// claimsCommand is `tracelab claims`.
type claimsCommand struct {
	Names       []string `arg:"" optional:"" name:"name" help:"Claims to judge, or all; without any, they are listed."`
	Orders      int      `help:"Orders of each form in each run, instead of each claim's own number." placeholder:"N"`
	Rate        *float64 `env:"TRACELAB_RATE" help:"Orders per second over all forms, instead of each claim's own rate." placeholder:"N"`
	Seeds       int      `help:"Runs of each arm, where a claim repeats whole runs, instead of each claim's own number." placeholder:"N"`
	Seed        uint64   `help:"Of the first run; the others have the next ones (default ${default})." default:"1" placeholder:"N"`
	Kafka       []string `help:"Use this Kafka instead of the embedded one." placeholder:"HOST:PORT"`
	RabbitMQ    []string `name:"rabbitmq" help:"The RabbitMQ for the claim brokers." placeholder:"HOST:PORT"`
	Target      string   `help:"Drive services that run elsewhere: the URL of their gateway. Only some claims can." placeholder:"URL"`
	Jaeger      string   `help:"Fetch their spans from this Jaeger, through api/v3." placeholder:"URL|grpc://HOST:PORT"`
	ReceiveOTLP string   `name:"receive-otlp" help:"Take their spans here: OTLP over gRPC, and over HTTP on the next port." placeholder:"HOST:PORT"`
	Keep        bool     `help:"Leave the run directories of all labs beside the results."`
	Out         string   `help:"Where the folder of the results goes: claims.json, and a journey for each claim (default ${default})." default:"runs" placeholder:"DIR"`
	Format      string   `help:"Of the report: text, json or html (one page) (default ${default})." enum:"text,json,html" default:"text" placeholder:"NAME"`
}

// Run lists the claims, or judges some.
func (c *claimsCommand) Run(ctx context.Context, s *streams) error {
	if len(c.Names) == 0 {
		if c.Format == "json" {
			return experiments.WriteListJSON(s.out, experiments.All())
		}
		return experiments.WriteList(s.out, experiments.All(), terminalOf(s.out))
	}
	claims, err := experiments.Named(c.Names...)
	if err != nil {
		return err
	}
	settings, err := c.settings(s)
	if err != nil {
		return usageError{err}
	}
	collectRarely()
	limitMemory(runLimit)
	progress := newProgress(s.err)
	settings.Progress = func(p experiments.Progress) {
		progress.line(fmt.Sprintf("%s (%d of %d), lab %d: %s, %d of %d answered; about %.0f s left", p.Claim, p.At, p.Of, p.Lab, p.Stage, p.Answered, p.Orders, p.Left.Seconds()))
	}
	ledger, err := experiments.Run(ctx, settings, claims, func(r experiments.Report) error {
		progress.line("")
		if c.Format != "text" {
			return nil
		}
		if err := r.WriteText(s.out, terminalOf(s.out)); err != nil {
			return err
		}
		return s.say("")
	})
	progress.clear()
	if _, senseless := errors.AsType[*experiments.SettingsError](err); senseless {
		return usageError{err}
	}
	if err != nil {
		return err
	}
	switch c.Format {
	case "json":
		return ledger.WriteJSON(s.out)
	case "html":
		return ledger.WriteHTML(s.out)
	}
	return ledger.WriteSummary(s.out, terminalOf(s.out))
}

func (c *claimsCommand) settings(s *streams) (experiments.Settings, error) {
	settings := experiments.Settings{
		Orders: c.Orders, Seeds: c.Seeds, Seed: c.Seed, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, Target: c.Target, Jaeger: c.Jaeger, ReceiveOTLP: c.ReceiveOTLP, Keep: c.Keep, Out: c.Out,
		Program: hint.Program(os.Args[0]), Version: version(), Logger: s.log,
	}
	if c.Rate != nil {
		if settings.Rate = *c.Rate; !(settings.Rate > 0) {
			return settings, fmt.Errorf("--rate %g: use a positive value", *c.Rate)
		}
	}
	if c.Orders < 0 || c.Seeds < 0 {
		return settings, fmt.Errorf("--orders %d and --seeds %d: use positive values", c.Orders, c.Seeds)
	}
	return settings, nil
}
