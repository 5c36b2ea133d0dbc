// Package lab drives the system under observation: it starts the services (or finds them running elsewhere), offers
// them orders at intended start times, collects the spans of every hop, keeps the accounts from the orders' own state,
// and hands complete journeys to the judge.
package lab

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"time"

	"tracelab/internal/otlp"
	"tracelab/journey/source/jaeger"
	"tracelab/services"
)

// Config says what a run does. The zero value of a field is its default where one is given.
type Config struct {
	Forms    []services.Form // nil: all four
	Orders   int             // of each form; 0: 25
	WarmUp   int             // of each form, before the others and left out of everything; negative: none; 0: 3
	Rate     float64         // orders/s over all forms, as intended start times; 0: 80
	Seed     uint64
	Topology string // "": order
	Relation services.Relation
	Kotel    bool // let kotel, as shipped, make the spans of messages; Relation says nothing then
	Faults   []services.Fault
	Workers  int           // records that a service works on at the same time; 0: services.DefaultWorkers
	NoDedupe bool          // do a step again when its message is delivered again
	Timeout  time.Duration // of the client, for one order; 0: 5 s
	Deadline time.Duration // from the last answer until every order is final and every journey complete; 0: 10 s

	Kafka       []string // host:port of brokers; none: the embedded one
	Keep        bool     // leave topics and groups on a broker that the lab did not start
	Target      string   // URL of a gateway that runs elsewhere; "": the services run in this process
	ReceiveOTLP string   // where the lab takes spans of services that run elsewhere
	Jaeger      string   // or the Jaeger that has them: its URL, or grpc://HOST:PORT

	OTLP   otlp.Destination // where every span is also sent, and metrics
	Sample *float64         // share of the orders whose spans are sent there, 0 to 1; nil: all

	Host string // host.id and host.name of the spans made here: the same for all of a lab; "": this machine's name
	// Profiles is the folder for CPU profiles of the process, split by form; "": none are made.
	Profiles string
	// Headers makes the spans that are made here keep what crossed each hop: traceparent, tracestate, baggage.
	Headers bool

	Out      string // directory of run directories; "": runs
	Version  string // of the program, for service.version and the manifest
	Network  services.Network
	Logger   *slog.Logger
	Progress func(Progress)
}

// Progress is how far a run has come.
type Progress struct {
	Stage    string // what is being done, in words
	Answered int    // orders that have their answer
	Orders   int
}

// withDefaults fills in what is not said and refuses what makes no sense.
func (c Config) withDefaults() (Config, error) {
	if len(c.Forms) == 0 {
		c.Forms = services.Forms()
	}
	setDefault(&c.Orders, 25)
	setDefault(&c.WarmUp, 3)
	setDefault(&c.Rate, 80)
	setDefault(&c.Topology, "order")
	setDefault(&c.Workers, services.DefaultWorkers)
	setDefault(&c.Timeout, 5*time.Second)
	setDefault(&c.Deadline, 10*time.Second)
	if c.Sample == nil {
		c.Sample = new(1.0)
	}
	setDefault(&c.Out, "runs")
	if host, err := os.Hostname(); err == nil {
		setDefault(&c.Host, host)
	}
	setDefault(&c.Host, "localhost")
	if c.Network.Listen == nil {
		c.Network = services.TCP()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	c.WarmUp = max(0, c.WarmUp)
	if err := c.check(); err != nil {
		return c, &ConfigError{err}
	}
	return c, nil
}

// ConfigError is a run that was asked for in a way that makes no sense; nothing was started.
type ConfigError struct{ err error }

// Error says what is wrong and what would be right.
func (e *ConfigError) Error() string { return e.err.Error() }

// Unwrap is the error inside.
func (e *ConfigError) Unwrap() error { return e.err }

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// check finds what cannot be run, before anything is started.
func (c Config) check() error {
	if c.Orders < 0 || c.Rate < 0 {
		return fmt.Errorf("orders %d and rate %g: use positive numbers", c.Orders, c.Rate)
	}
	if *c.Sample < 0 || *c.Sample > 1 {
		return fmt.Errorf("sample %g: use a share from 0 to 1", *c.Sample)
	}
	for i, form := range c.Forms {
		if _, err := services.ParseForm(string(form)); err != nil {
			return err
		}
		if slices.Contains(c.Forms[:i], form) {
			return fmt.Errorf("form %s is there twice", form)
		}
	}
	if err := c.checkSpansElsewhere(); err != nil {
		return err
	}
	if c.Target != "" && c.Kotel {
		return errors.New("relation kotel is a lab started with that library's hooks: it cannot be asked of services elsewhere (--target)")
	}
	if c.Target != "" && len(c.Kafka) > 0 {
		return errors.New("the services at --target have their own broker: leave out --kafka")
	}
	if c.Target != "" && c.Profiles != "" {
		return errors.New("--profiles keeps the CPU profile of this process, and the services at --target are in others: let them push theirs (serve --pyroscope)")
	}
	_, err := services.TopologyNamed(c.Topology)
	return err
}

// checkSpansElsewhere finds out whether there is exactly one way to the spans of services elsewhere, and none without them.
func (c Config) checkSpansElsewhere() error {
	switch {
	case c.Target == "" && c.ReceiveOTLP != "":
		return errors.New("--receive-otlp takes the spans of services elsewhere: name their gateway with --target")
	case c.Target == "" && c.Jaeger != "":
		return errors.New("--jaeger (or TRACELAB_JAEGER) is where the spans of services elsewhere are: name their gateway with --target, or leave it out")
	case c.ReceiveOTLP != "" && c.Jaeger != "":
		return errors.New("--receive-otlp and --jaeger are two ways to the same spans: leave one of them out")
	case c.Target != "" && c.ReceiveOTLP == "" && c.Jaeger == "":
		return errors.New("a run against services elsewhere needs their spans: say with --jaeger which Jaeger has them, or with --receive-otlp where they send them")
	case c.Jaeger == "":
		return nil
	}
	store, err := jaeger.Open(c.Jaeger) // nothing is sent
	if err != nil {
		return fmt.Errorf("--jaeger: %w", err)
	}
	return store.Close()
}

// Experiment is what every order of the run carries, but for its form and number.
func (c Config) experiment() services.Experiment {
	return services.Experiment{Topology: c.Topology, Relation: c.Relation, Seed: c.Seed, Faults: c.Faults}
}

// Stopper ends something within the context's time.
type stopper func(context.Context) error
