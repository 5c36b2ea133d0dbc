package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Defaults of Config.
const (
	DefaultTopic      = "otlp_spans"
	DefaultGroup      = "tracelab.watch"
	DefaultJourneys   = "tracelab.journeys"
	DefaultPartitions = 32
	DefaultQuiet      = 5 * time.Second
	DefaultWindow     = time.Minute
	DefaultPatience   = 5 * time.Minute
	DefaultCauses     = 64
	DefaultTraceSpans = 100_000
)

// Config says what a watcher reads, and when it judges. Fields that have a default take it when they are zero.
type Config struct {
	Kafka    []string // addresses of the brokers, host:port
	Topic    string   // the input topic, of OTLP as protobuf or JSON
	Group    string   // the consumer group of the watchers; its own topics are GROUP.work and GROUP.marks
	Journeys string   // the topic for the summaries of judged journeys
	Instance string   // name of this watcher, unique in the group: after a restart under it, it gets its partitions back at once

	// Partitions is the number of partitions of the work topic and of Journeys. It decides where a trace goes, so it never changes.
	Partitions int32
	Quiet      time.Duration // a journey is judged when nothing new has come for it this long
	Window     time.Duration // a journey waits this long for a consumer that has not handled its message
	Patience   time.Duration // verdicts are held this long while a partition is behind; then journeys are judged incomplete
	Causes     int           // a span may belong to this many journeys; one of more belongs to none
	TraceSpans int           // maximum number of spans of one trace
	MaxBytes   int64         // memory limit of all open traces in this process

	UntilEnd bool // stop when all journeys that the input held at the start are judged

	Dial   func(ctx context.Context, network, address string) (net.Conn, error) // connects to brokers; nil: TCP
	Logger *slog.Logger                                                         // nil: no log
	Meters metric.MeterProvider                                                 // for metrics of the watcher itself; nil: none
	Report func(Sums)                                                           // called with the sums each minute in which they changed; nil: none
}

// withDefaults sets the fields that are zero.
func (c Config) withDefaults() Config {
	fill(&c.Topic, DefaultTopic)
	fill(&c.Group, DefaultGroup)
	fill(&c.Journeys, DefaultJourneys)
	fill(&c.Partitions, DefaultPartitions)
	fill(&c.Quiet, DefaultQuiet)
	fill(&c.Window, DefaultWindow)
	fill(&c.Patience, DefaultPatience)
	fill(&c.Causes, DefaultCauses)
	fill(&c.TraceSpans, DefaultTraceSpans)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Report == nil {
		c.Report = func(Sums) {}
	}
	return c
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// Check validates a configuration. Its error names the flag of the command to change.
func (c Config) Check() error {
	c = c.withDefaults()
	switch {
	case len(c.Kafka) == 0:
		return errors.New("name the broker with --kafka")
	case slices.ContainsFunc(c.Kafka, func(address string) bool { return strings.Contains(address, "/") || strings.TrimSpace(address) == "" }):
		return fmt.Errorf("--kafka %s: name brokers as HOST:PORT, without a scheme", c.brokers())
	case !isTopic(c.Topic):
		return fmt.Errorf("--topic %q: %s", c.Topic, topicRule)
	case !isTopic(c.workTopic()):
		return fmt.Errorf("--group %q: its topics are GROUP.work and GROUP.marks: %s", c.Group, topicRule)
	case !isTopic(c.Journeys):
		return fmt.Errorf("--journeys %q: %s", c.Journeys, topicRule)
	case c.Instance == "":
		return errors.New("--instance: give this watcher a name of its own in the group, such as its host's")
	case c.Quiet <= HoldAfter:
		return fmt.Errorf("--quiet %v: use more than %v: how far the others are is known only that late", c.Quiet, HoldAfter)
	case c.Window < c.Quiet:
		return fmt.Errorf("--window %v: use at least --quiet, which is %v", c.Window, c.Quiet)
	case c.Patience < c.Quiet:
		return fmt.Errorf("--patience %v: use at least --quiet, which is %v", c.Patience, c.Quiet)
	case c.Causes < 1 || c.TraceSpans < 1:
		return errors.New("--causes and --trace-spans: use 1 or more")
	case c.MaxBytes < 1:
		return errors.New("--memory: use 1 or more")
	}
	return nil
}

// topicRule is Kafka's rule for the names of topics, for isTopic.
const topicRule = "Kafka takes names of at most 249 letters, digits, dots, dashes and underscores"

func isTopic(name string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	return len(name) <= 249 && name != "." && name != ".." && strings.Trim(name, letters+strings.ToUpper(letters)+"0123456789._-") == ""
}

// workTopic carries the records for the actors, marksTopic the marks, deadTopic the dead letters of the input.
func (c Config) workTopic() string  { return c.Group + ".work" }
func (c Config) marksTopic() string { return c.Group + ".marks" }
func (c Config) deadTopic() string  { return c.Topic + ".dlq" }

// workGroup is the consumer group of the work topic; that of the input is Group.
func (c Config) workGroup() string { return c.workTopic() }

// brokers returns the addresses of the brokers for a message.
func (c Config) brokers() string { return strings.Join(c.Kafka, ",") }
