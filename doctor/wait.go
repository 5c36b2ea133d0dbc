package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"tracelab/internal/vocabulary"
)

// The parts of a lab that Wait knows, in the order in which they depend on each other.
const (
	partKafka      = "kafka"
	partRabbitMQ   = "rabbitmq"
	partCollector  = "collector"
	partJaeger     = "jaeger"
	partPrometheus = "prometheus"
	partGrafana    = "grafana"
	partPyroscope  = "pyroscope"
	partServices   = "services"
)

// Parts returns the names of the parts that Wait knows.
func Parts() []string {
	return []string{partKafka, partRabbitMQ, partCollector, partJaeger, partPrometheus, partGrafana, partPyroscope, partServices}
}

// CheckPart returns a *vocabulary.UnknownError when there is no part of that name.
func CheckPart(name string) error {
	if slices.Contains(Parts(), name) {
		return nil
	}
	return &vocabulary.UnknownError{What: "part", Word: name, Known: Parts()}
}

// part is a part of the lab whose health can be asked for.
type part struct {
	name    string
	address string // "" leaves it out
	flag    string // the flag that names its address
	healthy func(context.Context) error
	fix     string
}

// parts lists all of them with their addresses.
func (c Config) parts(client *http.Client) []part {
	asks := func(address, path string) func(context.Context) error {
		return func(ctx context.Context) error {
			_, err := get(ctx, client, withPath(address, path))
			return err
		}
	}
	jaegerHealth := asks(c.JaegerHealth, healthPath)
	jaegerAddress := c.JaegerHealth
	if jaegerAddress == "" && strings.HasPrefix(c.Jaeger, "http") {
		jaegerAddress, jaegerHealth = c.Jaeger, asks(trimSlash(c.Jaeger)+"/api/v3/services", "")
	}
	return []part{
		{partKafka, strings.Join(c.Kafka, ","), "--kafka", func(ctx context.Context) error { return kafkaAnswers(ctx, c.Kafka) },
			"start Kafka, or name its address with --kafka; its log says what it waits for"},
		{partRabbitMQ, strings.Join(c.RabbitMQ, ","), "--rabbitmq", func(ctx context.Context) error { return rabbitAnswers(ctx, c.RabbitMQ) }, fixRabbit},
		{partCollector, c.Collector, "--collector", asks(c.Collector, healthPath),
			"start the collector, or name the URL of its health with --collector; its log says which component is not well"},
		{partJaeger, jaegerAddress, "--jaeger-health", jaegerHealth,
			"start Jaeger, or name the URL of its health with --jaeger-health; its log says which component is not well"},
		{partPrometheus, c.Prometheus, "--prometheus", asks(trimSlash(c.Prometheus)+"/-/ready", ""),
			"start Prometheus, or name its URL with --prometheus; its log says what is wrong with its configuration"},
		{partGrafana, c.Grafana, "--grafana", asks(trimSlash(c.Grafana)+"/api/health", ""),
			"start Grafana, or name its URL with --grafana; its log says what is wrong with its provisioning"},
		{partPyroscope, c.Pyroscope, "--pyroscope", asks(trimSlash(c.Pyroscope)+"/ready", ""),
			"start Pyroscope, or name its URL with --pyroscope"},
		{partServices, c.Gateway, "--gateway", func(ctx context.Context) error { return askReady(ctx, client, c.Gateway) },
			"start the services (tracelab serve), or name the gateway's URL with --gateway; the log of each says what it waits for"},
	}
}

// Wait waits for all parts at once to become healthy, and reports how long each took. only limits it to some of them; one of
// those without an address is an error, and so is an unknown name (a *vocabulary.UnknownError). A part that stays unhealthy
// is not an error: the report says so.
func Wait(ctx context.Context, c Config, only ...string) (Report, error) {
	for _, name := range only {
		if err := CheckPart(name); err != nil {
			return Report{}, err
		}
	}
	client := newClient()
	var asked []part
	for _, p := range c.parts(client) {
		if len(only) > 0 && !slices.Contains(only, p.name) {
			continue
		}
		if p.address == "" && slices.Contains(only, p.name) {
			return Report{}, fmt.Errorf("%s has no address to wait at: name one with %s", p.name, p.flag)
		}
		if p.address == "" && p.name == partRabbitMQ {
			continue // most labs have none
		}
		asked = append(asked, p)
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	checks := make([]Check, len(asked))
	var wg sync.WaitGroup
	var mu sync.Mutex
	for i, p := range asked {
		wg.Go(func() {
			check := p.wait(ctx)
			mu.Lock()
			defer mu.Unlock()
			checks[i] = check
			if c.Each != nil {
				c.Each(check)
			}
		})
	}
	wg.Wait()
	return reportOf(checks), nil
}

// wait polls until the part is healthy or the context ends.
func (p part) wait(ctx context.Context) Check {
	if p.address == "" {
		return Check{Name: p.name, Status: Skipped, Seen: "no address: name one with " + p.flag}
	}
	began := time.Now()
	err := until(ctx, func(ctx context.Context) error {
		once, cancel := context.WithTimeout(ctx, oneAnswer)
		defer cancel()
		return p.healthy(once)
	})
	if err != nil {
		return Check{Name: p.name, Status: Failed, Seen: "not healthy; the last that was seen: " + err.Error(), Fix: p.fix, TookMS: milliseconds(began)}
	}
	return Check{Name: p.name, Status: OK, Seen: "healthy at " + p.address, TookMS: milliseconds(began)}
}

// milliseconds returns the time since then.
func milliseconds(since time.Time) float64 {
	return float64(time.Since(since).Microseconds()) / 1000
}
