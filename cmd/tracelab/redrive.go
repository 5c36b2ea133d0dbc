package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"tracelab/internal/otlp"
	"tracelab/internal/telemetry"
	"tracelab/services"
	"tracelab/services/flows"
)

// redriveCommand is `tracelab redrive`.
type redriveCommand struct {
	Topic    string        `arg:"" help:"The topic that the messages came from, such as stock.reserved." placeholder:"TOPIC"`
	Kafka    []string      `help:"The Kafka that has the dead letters TOPIC.dlq." placeholder:"HOST:PORT"`
	RabbitMQ []string      `name:"rabbitmq" help:"The RabbitMQ that has the dead letters." placeholder:"HOST:PORT"`
	Prefix   string        `help:"What is in front of the names of topics, groups, exchanges and queues." placeholder:"TEXT"`
	Most     int           `help:"Send back so many at the most; another redrive goes on behind them (default ${default})." default:"10000" placeholder:"N"`
	Timeout  time.Duration `help:"How long it may take (default ${default})." default:"30s" placeholder:"DURATION"`
	OTLP     string        `name:"otlp" help:"Send its spans to this collector: host:port for gRPC, a URL for HTTP." placeholder:"ADDR"`
}

// Run sends dead letters back and says how many.
func (c *redriveCommand) Run(ctx context.Context, s *streams) error {
	switch {
	case len(c.Kafka)+len(c.RabbitMQ) == 0:
		return usageError{errors.New("redrive: name the broker with --kafka or --rabbitmq")}
	case c.Most < 1:
		return usageError{fmt.Errorf("--most %d: use 1 or more", c.Most)}
	case c.Timeout <= 0:
		return usageError{fmt.Errorf("--timeout %v: use a duration over 0, such as 30s", c.Timeout)}
	}
	logOTelErrors(s.log)
	to, err := otlp.ParseDestination(c.OTLP, os.Getenv)
	if err != nil {
		return usageError{fmt.Errorf("--otlp %w", err)}
	}
	export, err := newExport(ctx, otlp.Destination{Traces: to.Traces}, s.log)
	if err != nil {
		return err
	}
	host, _ := os.Hostname() // without one the spans have none
	config := services.Config{Services: []string{services.Redriver}, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, Prefix: c.Prefix, Network: services.TCP(), Telemetry: telemetry.Config{
		Version: version(), Host: host, Propagator: services.Propagator(s.log), Logs: s.log.Handler(), BaggageKeys: services.BaggageKeys(),
	}}
	export.into(&config)
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	done, err := services.Redrive(ctx, config, c.Topic, c.Most)
	for _, by := range []flows.Carrier{flows.KafkaLog, flows.RabbitMQ} {
		if of, asked := done[by]; asked && (of != services.SentBack{} || err == nil) { // an error says that nothing was sent
			err = errors.Join(err, s.say("%s: %d sent back to %s%s", by, of.Sent, c.Topic, cutText(of.Cut)+skippedText(of.Skipped)))
		}
	}
	return errors.Join(err, export.stop(s))
}

// cutText says how many messages went back with less than they had.
func cutText(messages int) string {
	if messages == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of them without headers that are nested too deep, too many, or of a type that no client reads", messages)
}

// skippedText says how much nobody can read.
func skippedText(batches int) string {
	switch batches {
	case 0:
		return ""
	case 1:
		return "; 1 batch skipped: it is damaged, or decompresses to more than a service takes"
	}
	return fmt.Sprintf("; %d batches skipped: they are damaged, or decompress to more than a service takes", batches)
}
