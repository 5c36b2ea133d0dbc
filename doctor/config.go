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

	Timeout time.Duration // of everything together; a single check of Examine gets a quarter of it at the most
	Version string        // service.version of the doctor's own spans
	Logger  *slog.Logger
	// Each is told every check when it has ended, one after the other; nil tells nobody.
	Each func(Check)
}

// Limits of single questions. What has to travel before it can be seen has longer: see the checks.
const (
	oneAnswer     = 3 * time.Second        // for the answer to one question
	retryInterval = 100 * time.Millisecond // between two questions about the same thing
)

// healthPath is where the collector and Jaeger tell their health: both have the same extension.
const healthPath = "/status"

// withPath adds a path to a URL that has none.
func withPath(address, path string) string {
	u, err := url.Parse(address)
	if err != nil || strings.Trim(u.Path, "/") != "" {
		return address // a path of its own, or an error that the request will tell
	}
	return strings.TrimSuffix(address, "/") + path
}

// trimSlash is a URL without a slash at its end, for a path to follow.
func trimSlash(address string) string { return strings.TrimSuffix(address, "/") }

// consumers lists the services that consume, with their topics, without the prefix. A group is called like its service.
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
