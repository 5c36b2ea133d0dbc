package doctor

import (
	"log/slog"
	"net/url"
	"strings"
	"time"

	"tracelab/services"
)

// Config says where the parts of a lab are. A part without an address is left out.
type Config struct {
	Gateway string   // URL of the gateway
	Kafka   []string // host:port of brokers
	Prefix  string   // of the services' topics and groups
	OTLP    []string // host:port for gRPC, a URL for HTTP; the probes' own spans go to the first

	Collector        string // URL of its health
	CollectorMetrics string // URL of its own metrics
	Jaeger           string // URL of its query service, or grpc://HOST:PORT
	JaegerHealth     string // URL of its health
	Prometheus       string // URL
	Grafana          string // URL
	Pyroscope        string // URL

	Timeout time.Duration // of everything together; one check of Examine gets at most a quarter of it
	Version string        // service.version of the doctor's own spans
	Logger  *slog.Logger
	// Each is called with every check when it has ended, one after the other; nil is not called.
	Each func(Check)
}

// Limits of single requests. Checks for what takes time to arrive have longer limits of their own.
const (
	oneAnswer     = 3 * time.Second        // for the answer to one request
	retryInterval = 100 * time.Millisecond // between two requests for the same
)

// healthPath is the path of the collector's and Jaeger's health: both use the same extension.
const healthPath = "/status"

// withPath adds a path to a URL that has none.
func withPath(address, path string) string {
	u, err := url.Parse(address)
	if err != nil || strings.Trim(u.Path, "/") != "" {
		return address // it has a path, or an error that the request will report
	}
	return strings.TrimSuffix(address, "/") + path
}

// trimSlash returns a URL without a slash at its end, so that a path can follow.
func trimSlash(address string) string { return strings.TrimSuffix(address, "/") }

// consumers returns the consumer groups with their topics, both without the prefix. A group has the name of its service.
func consumers() map[string][]string {
	groups := map[string][]string{services.Orders: {services.FailureTopic}}
	for _, hop := range services.OrderTopology().Hops {
		if hop.Topic != "" {
			group := hop.Step.Service()
			groups[group] = append(groups[group], hop.Topic)
		}
	}
	return groups
}
