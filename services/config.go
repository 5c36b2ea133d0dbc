package services

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"strconv"

	"go.opentelemetry.io/otel/propagation"

	"tracelab/internal/telemetry"
	"tracelab/services/internal/carrier"
	"tracelab/tracecontext"
)

// Telemetry is what all services of a lab have in common in what they tell about themselves.
type Telemetry = telemetry.Config

// Provider is the telemetry of one service; the lab's client has one too.
type Provider = telemetry.Provider

// Queue accounts for every span on its way to an exporter.
type Queue = telemetry.Queue

// QueueConfig says how a queue behaves.
type QueueConfig = telemetry.QueueConfig

// Counts are the spans that a queue has seen.
type Counts = telemetry.Counts

// NewQueue starts a queue in front of an exporter.
var NewQueue = telemetry.NewQueue

// Metrics sends what the services of a process measure to an exporter.
type Metrics = telemetry.Metrics

// NewMetrics sends to an exporter.
var NewMetrics = telemetry.NewMetrics

// OTLPMetrics makes an exporter of metrics to an OTLP endpoint.
var OTLPMetrics = telemetry.OTLPMetrics

// Profiles pushes the process's CPU profile to a Pyroscope.
type Profiles = telemetry.Profiles

// StartProfiles begins to push to a Pyroscope's URL.
var StartProfiles = telemetry.StartProfiles

// Labels of CPU samples.
const (
	LabelService = telemetry.LabelService
	LabelForm    = telemetry.LabelForm
	LabelStep    = telemetry.LabelStep
)

// Network is where services listen and dial.
type Network = carrier.Network

// ClientSpanName names the span of an HTTP request to a fixed path: POST /orders.
func ClientSpanName(operation string, r *http.Request) string {
	return carrier.ClientSpanName(operation, r)
}

// TCP is the operating system's network.
func TCP() Network { return carrier.TCP() }

// Propagator carries trace context and baggage over every hop. What it refuses it counts, and logs once a minute at
// the most.
func Propagator(logger *slog.Logger) propagation.TextMapPropagator {
	return tracecontext.New(tracecontext.WithLogger(logger))
}

// BaggageKeys are the baggage members that may become span attributes.
func BaggageKeys() []string {
	return []string{KeyRun, KeyForm, KeyNumber, KeyOrderID}
}

// Config says which services run here and how they find each other.
type Config struct {
	Services []string
	// HTTP and GRPC are host:port of every service, the ones elsewhere too. One that runs here and is missing, or whose
	// port is 0, gets a free port on 127.0.0.1.
	HTTP, GRPC map[string]string
	Kafka      []string // host:port of the brokers; none: no messages
	Prefix     string   // of topics and groups, on a broker that others use too
	Workers    int      // records that a service works on at the same time
	// AllowFaults makes the services obey the faults that an order carries.
	AllowFaults bool
	// Kotel lets that library's hooks, as shipped, make the spans of messages, instead of otelkgo and the order's relation.
	Kotel     bool
	Telemetry Telemetry
	Network   Network
}

// DefaultWorkers is how many records a service works on at the same time.
const DefaultWorkers = 32

// DefaultAddresses are the ports of a lab whose services are processes: HTTP from 18080 on, gRPC from 19080 on.
func DefaultAddresses() (http, grpc map[string]string) {
	http, grpc = map[string]string{}, map[string]string{}
	for i, name := range Names() {
		http[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(18080+i))
		grpc[name] = net.JoinHostPort("127.0.0.1", strconv.Itoa(19080+i))
	}
	return http, grpc
}

// RemoveTopics deletes the topics and groups of the configuration's prefix from its broker.
func RemoveTopics(ctx context.Context, config Config) error {
	return carrier.RemoveTopics(ctx, config.Network, config.Kafka, config.Prefix, OrderTopology().Topics(), Names())
}
