package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"time"

	"tracelab/doctor"
	"tracelab/internal/otlp"
)

// doctorCommand is `tracelab doctor`.
type doctorCommand struct {
	Wait    bool          `help:"Wait until every part that has an address is healthy, and say how long each took, instead of looking for what is broken."`
	Only    []string      `help:"Of --wait: this part alone (repeatable): kafka, rabbitmq, collector, jaeger, prometheus, grafana, pyroscope, services." placeholder:"PART" sep:","`
	Timeout time.Duration `help:"How long everything may take (default ${default})." default:"2m" placeholder:"DURATION"`

	Flow             string   `help:"What the services do: a flow by name, or a file that ends in .yaml (default ${default})." default:"order" placeholder:"NAME|FILE"`
	Gateway          string   `help:"The services' gateway (default ${default})." default:"http://127.0.0.1:18080" placeholder:"URL"`
	Kafka            []string `help:"Their Kafka (default ${default}). Any of these addresses can be left empty: then that part is left out." default:"127.0.0.1:9092" placeholder:"HOST:PORT"`
	RabbitMQ         []string `name:"rabbitmq" help:"Their RabbitMQ, where there is one, such as 127.0.0.1:5672." placeholder:"HOST:PORT"`
	Prefix           string   `help:"In front of the names of their topics, groups and queues." placeholder:"TEXT"`
	OTLP             []string `name:"otlp" help:"Where spans are sent: host:port for gRPC, a URL for HTTP. The probe orders' own go to the first (default ${default})." default:"127.0.0.1:4317,http://127.0.0.1:4318" placeholder:"ADDR"`
	Collector        string   `help:"The collector's health (default ${default})." default:"http://127.0.0.1:13133" placeholder:"URL"`
	CollectorMetrics string   `help:"The collector's own metrics (default ${default})." default:"http://127.0.0.1:8888" placeholder:"URL"`
	Jaeger           string   `help:"Jaeger's query service (default ${default})." default:"http://127.0.0.1:16686" placeholder:"URL|grpc://HOST:PORT"`
	JaegerHealth     string   `help:"Jaeger's health (default ${default})." default:"http://127.0.0.1:13134" placeholder:"URL"`
	Prometheus       string   `help:"Prometheus, where there is one, such as http://127.0.0.1:9090." placeholder:"URL"`
	Grafana          string   `help:"Grafana, where there is one, such as http://127.0.0.1:3000." placeholder:"URL"`
	Pyroscope        string   `help:"Pyroscope, where there is one, such as http://127.0.0.1:4040." placeholder:"URL"`

	Format string `help:"Of the report: text or json (default ${default})." enum:"text,json" default:"text" placeholder:"NAME"`
}

// Run examines, or waits, and prints each check as it ends.
func (c *doctorCommand) Run(ctx context.Context, s *streams) error {
	config, err := c.config(s)
	if err != nil {
		return usageError{err}
	}
	var writing error
	if c.Format == "text" {
		config.Each = func(check doctor.Check) {
			_, err := io.WriteString(s.out, check.Text(terminalOf(s.out)))
			writing = errors.Join(writing, err)
		}
	}
	var report doctor.Report
	if c.Wait {
		report, err = doctor.Wait(ctx, config, c.Only...)
	} else {
		report, err = doctor.Examine(ctx, config)
	}
	if err != nil {
		return usageError{err}
	}
	if err := errors.Join(writing, c.finish(s, report)); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if report.FirstBroken != nil {
		return errNotSo
	}
	return nil
}

// finish prints the end of the report when all checks have ended.
func (c *doctorCommand) finish(s *streams, report doctor.Report) error {
	if c.Format == "json" {
		encoder := json.NewEncoder(s.out)
		encoder.SetEscapeHTML(false)
		encoder.SetIndent("", "  ")
		return encoder.Encode(report)
	}
	return report.WriteSummary(s.out, terminalOf(s.out))
}

func (c *doctorCommand) config(s *streams) (doctor.Config, error) {
	config := doctor.Config{
		Gateway: c.Gateway, Kafka: given(c.Kafka), RabbitMQ: given(c.RabbitMQ), Prefix: c.Prefix, OTLP: given(c.OTLP), Collector: c.Collector,
		CollectorMetrics: c.CollectorMetrics, Jaeger: c.Jaeger, JaegerHealth: c.JaegerHealth, Prometheus: c.Prometheus,
		Grafana: c.Grafana, Pyroscope: c.Pyroscope, Timeout: c.Timeout, Version: version(), Logger: s.log,
	}
	if c.Timeout <= 0 {
		return config, errors.New("--timeout: use a positive value")
	}
	if len(c.Only) > 0 && !c.Wait {
		return config, errors.New("--only goes with --wait: without it the whole chain is walked")
	}
	if c.Gateway == "" && !c.Wait {
		return config, errors.New("--gateway: there is no chain to walk without one")
	}
	var err error
	if config.Flow, err = loadFlow(c.Flow); err != nil {
		return config, err
	}
	var errs []error
	for _, flag := range []struct{ name, value string }{
		{"gateway", c.Gateway}, {"collector", c.Collector}, {"collector-metrics", c.CollectorMetrics}, {"jaeger-health", c.JaegerHealth},
		{"prometheus", c.Prometheus}, {"grafana", c.Grafana}, {"pyroscope", c.Pyroscope},
	} {
		if flag.value != "" {
			errs = append(errs, checkURL(flag.name, flag.value))
		}
	}
	for _, address := range config.RabbitMQ {
		errs = append(errs, checkHostPort("rabbitmq", address))
	}
	for _, address := range config.Kafka {
		errs = append(errs, checkHostPort("kafka", address))
	}
	for _, address := range config.OTLP {
		if _, err := otlp.ParseEndpoint(address); err != nil {
			errs = append(errs, fmt.Errorf("--otlp %w", err))
		}
	}
	return config, errors.Join(errs...)
}

// given leaves out empty addresses: an environment variable that is set to nothing names no part.
func given(addresses []string) []string {
	var some []string
	for _, address := range addresses {
		if address != "" {
			some = append(some, address)
		}
	}
	return some
}

func checkURL(flag, text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return fmt.Errorf("--%s %s: use a URL, such as http://127.0.0.1:8080", flag, text)
	}
	return nil
}

func checkHostPort(flag, text string) error {
	if _, _, err := net.SplitHostPort(text); err != nil {
		return fmt.Errorf("--%s %s: use host:port: %w", flag, text, err)
	}
	return nil
}
