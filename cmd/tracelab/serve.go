package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"tracelab/internal/otlp"
	"tracelab/internal/telemetry"
	"tracelab/internal/vocabulary"
	"tracelab/lab"
	"tracelab/services"
	"tracelab/services/flows"
)

// embedded is the word that stands for a Kafka in this process where an address is expected.
const embedded = "embedded"

// serveCommand is `tracelab serve`.
type serveCommand struct {
	Services    []string          `arg:"" help:"Services of the flow to run, or all. ${services}" placeholder:"SERVICE"`
	Flow        string            `help:"What the services do: a flow by name (tracelab flow list), or a file of your own that ends in .yaml (default ${default})." default:"order" placeholder:"NAME|FILE"`
	HTTP        map[string]string `name:"http" help:"Where services answer HTTP, here and elsewhere; one of several instances takes several addresses with commas between them, which are asked in turn (default: 127.0.0.1, ports from 18080 on in the order of the flow)." placeholder:"SERVICE=HOST:PORT"`
	GRPC        map[string]string `name:"grpc" help:"Where services answer gRPC (default: 127.0.0.1, ports from 19080 on)." placeholder:"SERVICE=HOST:PORT"`
	Kafka       []string          `help:"The Kafka that carries messages; without one, only calls work. The word embedded starts one in this process, in memory." placeholder:"HOST:PORT"`
	RabbitMQ    []string          `name:"rabbitmq" help:"The RabbitMQ that carries the messages of the form rabbitmq." placeholder:"HOST:PORT"`
	Classic     bool              `help:"Make classic queues at that RabbitMQ instead of quorum queues."`
	Prefix      string            `help:"Put this in front of the names of topics, groups, exchanges and queues." placeholder:"TEXT"`
	Workers     []string          `help:"Records that a service works on at the same time; SERVICE=N for the calls and records of one (default ${default})." default:"32" placeholder:"N|SERVICE=N,…"`
	Partitions  int               `help:"Partitions of each topic that is made at Kafka; topics that are there keep theirs (default ${default})." default:"8" placeholder:"N"`
	Mailbox     int               `help:"Orders that the form ack carries on with after its answer; more are refused (default ${default})." default:"1000" placeholder:"N"`
	AllowFaults bool              `help:"Act on the faults that an order carries."`
	Store       string            `help:"Keep the state of orders, the steps that were done, and messages that wait, in a file, or in a PostgreSQL that several processes share; a service that is killed and started again goes on with them (default: in memory)." placeholder:"FILE|URL"`
	NoOutbox    bool              `help:"Where there is an outbox (with a store on disk, or by the flow's file): send an order's first message and then answer, instead of writing both in one transaction and sending from there."`
	NoDedupe    bool              `help:"Do a step again when its message is delivered again."`
	OTLP        string            `name:"otlp" help:"Send spans and metrics to this collector (Jaeger and run --receive-otlp take spans only): host:port for gRPC, a URL for HTTP." placeholder:"ADDR"`
	Pyroscope   string            `help:"Push CPU profiles to this Pyroscope, with labels service, form and step, and let spans name theirs." placeholder:"URL"`
	Polls       bool              `help:"Make spans of polls and commits, too; those that fail always have one."`
	Headers     bool              `help:"Keep on each span what crossed its hop (traceparent, tracestate, baggage; other headers by name alone)."`
	Host        string            `help:"host.id and host.name of the spans: the same for all services of a lab (default: this machine's name)." placeholder:"NAME"`
	Grace       time.Duration     `help:"How long a shutdown may take to finish what was begun (default ${default})." default:"8s" placeholder:"DURATION"`
}

// startTimeout is how long the start waits for brokers, and for the store.
const startTimeout = 30 * time.Second

// Run serves until the context ends or a server fails, then drains.
func (c *serveCommand) Run(ctx context.Context, s *streams) error {
	logOTelErrors(s.log)
	config, err := c.config(s.log)
	if err != nil {
		return usageError{err}
	}
	to, err := otlp.ParseDestination(c.OTLP, os.Getenv)
	if err != nil {
		return usageError{fmt.Errorf("--otlp %w", err)}
	}
	export, err := newExport(ctx, to, s.log)
	if err != nil {
		return err
	}
	if c.Pyroscope != "" {
		t := config.Telemetry
		if export.profiles, err = telemetry.StartProfiles(c.Pyroscope, t.Version, t.Instance, t.Host, s.log); err != nil {
			return errors.Join(usageError{err}, export.stop(s))
		}
	}
	export.into(&config)
	if c.Store != "" {
		opening, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("not reached within %v", startTimeout))
		config.Store, err = services.OpenStore(opening, c.Store, s.log)
		cancel()
		if err != nil {
			return errors.Join(fmt.Errorf("--store: %w", err), export.stop(s))
		}
	}
	if slices.Equal(c.Kafka, []string{embedded}) {
		broker, err := lab.StartBroker(services.TCP())
		if err != nil {
			return errors.Join(err, config.Store.Close(), export.stop(s))
		}
		defer broker.Close()
		config.Kafka = broker.Addresses()
		if err := s.say("%-12s %s  (embedded, in memory: not a real Kafka's cost)", "kafka", strings.Join(config.Kafka, ",")); err != nil {
			return err
		}
	}
	starting, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	system, err := services.Start(starting, config)
	if err != nil {
		return errors.Join(err, config.Store.Close(), export.stop(s))
	}
	if export.metrics != nil {
		export.metrics.Start(ctx)
	}
	err = c.serve(ctx, starting, s, system, config, export.queue != nil)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.Grace)
	defer cancel()
	err = errors.Join(err, system.Shutdown(stopping), config.Store.Close(), export.stop(s))
	if err != nil {
		return err
	}
	return s.say("stopped: %s", strings.Join(config.Services, ", "))
}

// serve announces the services and waits until it is told to stop, or a server fails.
func (c *serveCommand) serve(ctx, starting context.Context, s *streams, system *services.System, config services.Config, exporting bool) error {
	if err := c.announce(s, system, config, exporting); err != nil {
		return err
	}
	if err := system.Ready(starting); err != nil {
		return err
	}
	if err := s.say("ready: %s", strings.Join(config.Services, ", ")); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-system.Failed():
		return err
	}
}

// announce says where the services are, and warns of what their settings leave out.
func (c *serveCommand) announce(s *streams, system *services.System, config services.Config, exporting bool) error {
	names, flow := config.Services, config.Flow
	for _, name := range names {
		if err := s.say("%-12s http://%s  grpc %s", name, system.Address(name), system.GRPCAddress(name)); err != nil {
			return err
		}
	}
	if c.Store != "" {
		s.talk("state is kept in %s", config.Store.Name())
	}
	if entry := flow.Entry().Service(); slices.Contains(names, entry) && c.Store == "" {
		s.talk("%s keeps its state in the memory of this process: run one of it, and expect it to forget when it stops", entry)
	}
	if len(c.Kafka)+len(c.RabbitMQ) > 0 && c.Store == "" {
		s.talk("no --store: which steps were done is in the memory of this process; when it is killed, steps may be repeated")
	}
	if forms := flow.FormsBy(flows.KafkaLog); len(c.Kafka) == 0 && len(forms) > 0 {
		s.talk("no --kafka: %s of the forms %s will be refused", vocabulary.Plural(flow.Unit), strings.Join(formNames(forms), " and "))
	}
	if !exporting {
		s.talk("no --otlp and no OTEL_EXPORTER_OTLP_ENDPOINT: spans go nowhere, and neither do metrics")
	}
	return nil
}

func (c *serveCommand) config(log *slog.Logger) (services.Config, error) {
	flow, err := loadFlow(c.Flow)
	if err != nil {
		return services.Config{}, err
	}
	names := c.Services
	if slices.Equal(names, []string{"all"}) {
		names = flow.Services()
	}
	config := services.Config{
		Services: names, Flow: flow, Kafka: c.Kafka, RabbitMQ: c.RabbitMQ, ClassicQueues: c.Classic, Prefix: c.Prefix, Partitions: c.Partitions, Mailbox: c.Mailbox, Polls: c.Polls, AllowFaults: c.AllowFaults, Die: die, NoDedupe: c.NoDedupe, Network: services.TCP(),
		Telemetry: telemetry.Config{
			Version: version(), Host: c.Host, Headers: c.Headers, Instance: strconv.Itoa(os.Getpid()), Logs: log.Handler(),
			Propagator: services.Propagator(log), BaggageKeys: services.BaggageKeys(),
		},
	}
	config.NoOutbox = c.NoOutbox
	if c.NoOutbox && c.Store == "" && !flow.HasOutbox() {
		return config, errors.New("--no-outbox: a store in memory has no outbox unless the flow's file says outbox: on: leave it out, or name a --store")
	}
	if err := services.CheckStore(c.Store); err != nil {
		return config, fmt.Errorf("--store: %w", err)
	}
	if c.Partitions < 1 || c.Partitions > services.MostPartitions {
		return config, fmt.Errorf("--partitions %d: use a number from 1 to %d", c.Partitions, services.MostPartitions)
	}
	if c.Mailbox < 1 {
		return config, fmt.Errorf("--mailbox %d: use at least 1", c.Mailbox)
	}
	if config.Workers, config.WorkersOf, err = parseWorkers(flow, c.Workers); err != nil {
		return config, err
	}
	if c.Host == "" {
		host, err := os.Hostname()
		if err != nil {
			return config, fmt.Errorf("cannot determine this machine's name: give one with --host: %w", err)
		}
		config.Telemetry.Host = host
	}
	for i, name := range names {
		if err := flow.CheckService(name); err != nil {
			return config, err
		}
		if slices.Contains(names[:i], name) {
			return config, fmt.Errorf("service %s is named twice: name it once", name)
		}
	}
	config.HTTP, config.GRPC = services.DefaultAddresses(flow)
	if err := errors.Join(override(flow, "--http", config.HTTP, c.HTTP), override(flow, "--grpc", config.GRPC, c.GRPC)); err != nil {
		return config, err
	}
	for _, name := range names {
		if strings.Contains(config.HTTP[name]+config.GRPC[name], ",") {
			return config, fmt.Errorf("%s runs here: name the one address of this instance; the others learn of all", name)
		}
	}
	return config, nil
}

// override puts addresses of the command line over the default ones.
func override(flow *flows.Flow, flag string, addresses, given map[string]string) error {
	for name, address := range given {
		if err := flow.CheckService(name); err != nil {
			return fmt.Errorf("%s: %w", flag, err)
		}
		for _, instance := range strings.Split(address, ",") {
			if _, _, err := net.SplitHostPort(instance); err != nil {
				return fmt.Errorf("%s %s=%s: use host:port, with commas between several instances: %w", flag, name, address, err)
			}
		}
		addresses[name] = address
	}
	return nil
}

// die ends this process as kill -9 does: a fault makes a service crash.
func die() {
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {} // until it has come
}
