package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"tracelab/internal/otlp"
	"tracelab/watch"
)

// watchCommand is `tracelab watch`.
type watchCommand struct {
	Kafka    []string `help:"The Kafka that has the spans." placeholder:"HOST:PORT"`
	Topic    string   `help:"The topic that a collector writes spans to: OTLP as protobuf or JSON, with any keys (default ${default})." default:"otlp_spans" placeholder:"NAME"`
	Group    string   `help:"The consumer group: all watchers of it are one. Its own topics are GROUP.work and GROUP.marks (default ${default})." default:"tracelab.watch" placeholder:"NAME"`
	Journeys string   `help:"The topic to write each journey's summary to, once (default ${default})." default:"tracelab.journeys" placeholder:"NAME"`
	Instance string   `name:"instance" help:"This watcher's name in the group: under the same name, a watcher that was killed has its partitions back at once (default: this machine's name)." placeholder:"NAME"`

	OTLP string `name:"otlp" help:"Send metrics of the journeys that the group judged, and of this watcher, to this collector: host:port for gRPC, a URL for HTTP." placeholder:"ADDR"`

	Quiet      time.Duration `help:"Judge a journey when nothing new came for so long, while no watcher was behind (default ${default})." default:"5s" placeholder:"DURATION"`
	Window     time.Duration `help:"Wait no longer than this for a consumer that has not handled a journey's message, nor for what a span links to (default ${default})." default:"1m" placeholder:"DURATION"`
	Patience   time.Duration `help:"While a partition is behind nothing is judged; after this time it is, as incomplete (default ${default})." default:"5m" placeholder:"DURATION"`
	Causes     int           `help:"Journeys that one span may belong to; with more it is in none (default ${default})." default:"64" placeholder:"N"`
	TraceSpans int           `help:"Spans of one trace that are kept (default ${default})." default:"100000" placeholder:"N"`
	Memory     int64         `help:"MB of spans of open traces that are kept; beyond it the oldest is evicted (default: an eighth of what this process may use)." placeholder:"MB"`
	UntilEnd   bool          `help:"End when all is judged that the topic holds now, by this watcher and the others of the group."`
}

// Run watches until it is told to stop.
func (c *watchCommand) Run(ctx context.Context, s *streams) error {
	config, err := c.config(s)
	if err != nil {
		return usageError{err}
	}
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	metrics, err := c.metricsOf(ctx, s, &config, fail)
	if err != nil {
		return err
	}
	s.talk("watching %s on %s as %s of the group %s\nsummaries go to %s; Ctrl-C ends it", config.Topic, c.Kafka[0], config.Instance, config.Group, config.Journeys)
	defer rareCollections(config.MaxBytes)()
	sums, err := watch.Run(ctx, config)
	if err == nil || sums != (watch.Sums{}) {
		s.talk("%s", sums)
	}
	return errors.Join(err, metrics.stop())
}

// config is the watcher's configuration.
func (c *watchCommand) config(s *streams) (watch.Config, error) {
	config := watch.Config{
		Kafka: c.Kafka, Topic: cmp.Or(c.Topic, watch.DefaultTopic), Group: cmp.Or(c.Group, watch.DefaultGroup), Journeys: cmp.Or(c.Journeys, watch.DefaultJourneys), Instance: c.Instance,
		Quiet: c.Quiet, Window: c.Window, Patience: c.Patience, Causes: c.Causes, TraceSpans: c.TraceSpans, MaxBytes: c.Memory << 20,
		UntilEnd: c.UntilEnd, Logger: s.log, Report: func(sums watch.Sums) { s.talk("%s", sums) },
	}
	if config.Instance == "" {
		host, err := os.Hostname()
		if err != nil {
			return config, fmt.Errorf("cannot determine this machine's name: give one with --instance: %w", err)
		}
		config.Instance = host
	}
	if c.Memory == 0 {
		config.MaxBytes = otlp.DefaultBudget()
	}
	if c.Quiet <= 0 || c.Window <= 0 || c.Patience <= 0 || c.Causes <= 0 || c.TraceSpans <= 0 {
		return config, errors.New("--quiet, --window, --patience, --causes and --trace-spans: use values over 0")
	}
	return config, config.Check()
}
