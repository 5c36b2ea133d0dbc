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
	"tracelab/lab/links"
	"tracelab/services"
	"tracelab/services/faults"
	"tracelab/services/flows"
)

// Config says what a run does. The zero value of a field is its default where one is given.
type Config struct {
	Flow    *flows.Flow     // what is done; nil: order
	Forms   []services.Form // nil: the flow's default ones
	Orders  int             // of each form; 0: 25
	WarmUp  int             // orders of each form in a window of the warm-up; 0: no warm-up
	Windows int             // of the warm-up at the most; 0: 8
	Rate    float64         // orders/s over all forms, as intended start times; 0: 80, or none with Clients
	// ReadAfter are the times after its answer at which the client of an open loop asks what has become of an order.
	ReadAfter []time.Duration
	OneRate   bool          // do not look, after the run, for the highest rate at which the generator starts on time
	Surge     Surge         // a part of the run in which the rate is a multiple of that
	Clients   int           // that place the orders in a closed loop, in the place of a rate; 0: an open loop
	Think     time.Duration // of each of these clients, before each order; 0: none
	Seed      uint64
	Base      services.Form // that the others are compared with; "": grpc, or the first without it
	Relation  services.Relation
	Kotel     bool // let kotel, as shipped, make the spans of messages; Relation says nothing then
	Faults    []faults.Fault
	Events    []Event      // what happens to parts of the lab while orders are placed
	Links     []links.Link // ways between parts that are slow, narrow, cut or reset
	Weather   *Weather     // for more of it, whenever somebody says so; nil: only Events
	Workers   int          // records that a service works on at the same time; 0: services.DefaultWorkers
	// WorkersOf is how many calls and records a service works on at a time, by its name, in the place of what the flow says.
	WorkersOf map[string]int
	// Instances is how many instances of a service run in this process, by its name; 1 unless said.
	Instances  map[string]int
	Partitions int           // of a topic that is made at Kafka; 0: 8
	Mailbox    int           // orders that the service of the entry step carries on with after its answer; 0: services.DefaultMailbox
	NoDedupe   bool          // do a step again when its message is delivered again
	Timeout    time.Duration // of the client, for one order; 0: 5 s
	Deadline   time.Duration // from the last answer until every order is final and every journey complete; 0: 10 s

	Kafka    []string // host:port of brokers; none: the embedded one
	RabbitMQ []string // host:port of nodes; none: no form of it
	// ClassicQueues makes classic queues at RabbitMQ instead of quorum queues.
	ClassicQueues bool
	// Store is where services keep what they remember: a file, or postgres://…; "": in memory. NoOutbox sends an order's first message before the
	// answer, instead of from the store.
	Store       string
	NoOutbox    bool
	Keep        bool   // leave topics, groups and queues on a broker that the lab did not start
	Target      string // URL of a gateway that runs elsewhere; "": the services run in this process
	ReceiveOTLP string // where the lab takes spans of services that run elsewhere
	Jaeger      string // or the Jaeger that has them: its URL, or grpc://HOST:PORT

	OTLP   otlp.Destination // where every span is also sent, and metrics
	Unsent float64          // share of the orders whose spans are not sent there, 0 to 1

	Host string // host.id and host.name of the spans made here: the same for all of a lab; "": this machine's name
	// Profiles is the folder for CPU profiles of the process, split by form; "": none are made.
	Profiles string
	// Polls makes spans of polls and commits, too; without it only those that failed have one.
	Polls bool
	// Headers makes the spans that are made here keep what crossed each hop: traceparent, tracestate, baggage.
	Headers bool

	Out string // directory of run directories; "": runs
	// HeldSpans is how many spans stay in memory at the most; 0: 20,000. Beyond half of it those of complete journeys go to the run directory, and
	// beyond it those of orders that are under way, before their journey is judged: they are read back for that.
	HeldSpans int
	// Remembered is how many orders the orders service of this process remembers; 0: 20,000. The run reads their states as it
	// goes, so more are of no use to it.
	Remembered int
	// FlowFile is the file that Flow was read from, for the commands that a report prints; "": it is built in.
	FlowFile string
	Program  string // how it is called, for the commands that a report prints; "": tracelab
	Version  string // of the program, for service.version and the manifest
	Network  services.Network
	Logger   *slog.Logger
	Progress func(Progress)
	// EndEarly ends the run when it is closed: no more orders are placed, what is there is judged and marked. When the
	// orders are placed already, the run no longer waits for what is missing. It may be nil.
	EndEarly <-chan struct{}

	settableLinks bool // links may be set while the services run
	effects       int  // steps that each service remembers to have done; 0: as many as the memory limit allows
}

// withDefaults fills in what is not said and refuses what makes no sense.
func (c Config) withDefaults() (Config, error) {
	if c.Flow == nil {
		c.Flow = flows.Order()
	}
	if len(c.Forms) == 0 {
		c.Forms = c.Flow.DefaultForms()
	}
	setDefault(&c.Orders, 25)
	if c.Clients == 0 {
		setDefault(&c.Rate, 80)
	}
	setDefault(&c.Windows, 8)
	setDefault(&c.HeldSpans, 20_000)
	setDefault(&c.Remembered, 20_000)
	setDefault(&c.Workers, services.DefaultWorkers)
	setDefault(&c.Mailbox, services.DefaultMailbox)
	setDefault(&c.Timeout, 5*time.Second)
	setDefault(&c.Deadline, 10*time.Second)
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
	if c.Weather == nil {
		c.Weather = NewWeather()
	}
	if c.Progress == nil {
		c.Progress = func(Progress) {}
	}
	if err := c.check(); err != nil {
		return c, &ConfigError{err}
	}
	return c, nil
}

// ConfigError is a run that was asked for in a way that makes no sense; nothing was started.
type ConfigError struct{ err error }

// Error says what is wrong and what would be right.
func (e *ConfigError) Error() string { return fmt.Sprint(e.err) }

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
	if err := c.checkAmounts(); err != nil {
		return err
	}
	if c.Base != "" && !slices.Contains(c.Forms, c.Base) {
		return fmt.Errorf("base %s is not among the forms of the run: add it to --forms", c.Base)
	}
	for i, form := range c.Forms {
		if _, err := c.Flow.ParseForm(string(form)); err != nil {
			return err
		}
		if slices.Contains(c.Forms[:i], form) {
			return fmt.Errorf("form %s is there twice", form)
		}
	}
	if err := c.checkSpansElsewhere(); err != nil {
		return err
	}
	if err := errors.Join(c.checkSurge(), c.checkEvents(), c.checkLinks(), c.checkFaults()); err != nil {
		return err
	}
	if c.Target != "" && c.Kotel {
		return errors.New("relation kotel is a lab started with that library's hooks: it cannot be asked of services elsewhere (--target)")
	}
	if c.Target != "" && c.Store != "" {
		return errors.New("the services at --target have their own store: leave out --store")
	}
	if c.NoOutbox && c.Store == "" && !c.Flow.HasOutbox() {
		return errors.New("--no-outbox: a store in memory has no outbox unless the flow's file says outbox: on: leave it out, or name a --store")
	}
	if err := services.CheckStore(c.Store); err != nil {
		return err
	}
	if c.Target != "" && len(c.Kafka)+len(c.RabbitMQ) > 0 {
		return errors.New("the services at --target have their own brokers: leave out --kafka and --rabbitmq")
	}
	if c.Base != "" && c.Flow.ViewOf(c.Base) != nil {
		return fmt.Errorf("form %s reads a view in the place of steps, so no form does the same work: name another --base", c.Base)
	}
	for _, form := range c.Forms {
		if c.Kotel && c.Flow.HasBatches(form) {
			return fmt.Errorf("form %s handles messages in batches, and kotel has no span for one: choose another relation, or leave the form out", form)
		}
	}
	for _, form := range c.Flow.FormsBy(flows.RabbitMQ) {
		if slices.Contains(c.Forms, form) && c.Target == "" && len(c.RabbitMQ) == 0 {
			return fmt.Errorf("form %s needs a RabbitMQ: start one (task rabbitmq) and name it with --rabbitmq, or leave the form out", form)
		}
	}
	if c.Target != "" && c.Profiles != "" {
		return errors.New("--profiles keeps the CPU profile of this process, and the services at --target are in others: let them push theirs (serve --pyroscope)")
	}
	return nil
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

// stopper ends something within the context's time.
type stopper func(context.Context) error
