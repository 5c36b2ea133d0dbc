package watch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
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

// Config says what a watcher reads, and when it judges.
type Config struct {
	Kafka    []string // host:port
	Topic    string   // the input: OTLP, protobuf or JSON
	Group    string   // the consumer group; GROUP.work and GROUP.marks are its topics
	Journeys string   // the topic of summaries
	Instance string   // of this watcher in the group: a watcher that comes back under the same name gets its partitions back at once

	Partitions int32         // of the work topic and the topic of summaries; fixed, as a trace's place depends on it
	Quiet      time.Duration // for which nothing new must have come to a journey
	Window     time.Duration // for which a journey waits for a consumer that has not handled its message
	Patience   time.Duration // for which a hold keeps verdicts back
	Causes     int           // roots that one span is given to, at most
	TraceSpans int           // spans of one trace, at most
	MaxBytes   int64         // of all open traces in this process

	UntilEnd bool // end when all is judged that the input held at the start

	Dial   func(ctx context.Context, network, address string) (net.Conn, error) // nil: TCP
	Logger *slog.Logger
	Meters metric.MeterProvider // gets metrics of the watcher itself; nil: nobody does
	// Report gets the sums each minute; nil: nobody does.
	Report func(Sums)
}

// withDefaults fills what is zero.
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

// Check returns what is wrong with a configuration, in the words of the command's flags.
func (c Config) Check() error {
	c = c.withDefaults()
	switch {
	case len(c.Kafka) == 0:
		return errors.New("name the broker with --kafka")
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

// workTopic carries what actors get, marksTopic how far each partition is, deadTopic what could not be read.
func (c Config) workTopic() string  { return c.Group + ".work" }
func (c Config) marksTopic() string { return c.Group + ".marks" }
func (c Config) deadTopic() string  { return c.Topic + ".dlq" }

// workGroup is the consumer group of the work topic; that of the input is Group.
func (c Config) workGroup() string { return c.workTopic() }

// brokers are the addresses as one word.
func (c Config) brokers() string { return strings.Join(c.Kafka, ",") }
