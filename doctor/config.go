package doctor

import (
	"cmp"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"tracelab/services"
	"tracelab/services/flows"
)

// Config says where the parts of a lab are. A part without an address is left out.
type Config struct {
	Flow    *flows.Flow // what the services do; nil: order
	Gateway string      // URL of the gateway
	Kafka   []string    // host:port of brokers
	Prefix  string      // of the services' topics and groups
	// RabbitMQ is host:port of its nodes. Without one its checks are left out altogether: most labs have none.
	RabbitMQ []string
	OTLP     []string // host:port for gRPC, a URL for HTTP; the probes' own spans go to the first

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

// flow is what the services do.
func (c Config) flow() *flows.Flow {
	if c.Flow == nil {
		return flows.Order()
	}
	return c.Flow
}

// probeBody is the body of the probe orders: the same one in every form.
func probeBody(f *flows.Flow) map[string]any { return f.DrawBody(services.Experiment{}.Draw("doctor")) }

// planOf is how a form carries the probe orders out.
func planOf(f *flows.Flow, form services.Form) (*flows.Plan, error) {
	body := map[string]string{}
	for name, value := range probeBody(f) {
		body[name] = fmt.Sprint(value)
	}
	return f.Plan(form, services.Experiment{}.Skipped(f, body)...)
}

// probedForms returns the forms of the probe orders, which together use all that the flow's forms do: the first form of calls over HTTP, the first
// over gRPC, the one with the most messages on Kafka, and the first that asks a query, handles messages in batches, or reads a view.
func probedForms(f *flows.Flow) []services.Form {
	var http, grpc, messages, query, batches, view services.Form
	most := 0
	first := func(form *services.Form, of flows.Column) { *form = cmp.Or(*form, of.Form) }
	for _, column := range f.Columns {
		counts := map[flows.Carrier]int{}
		for _, by := range column.By {
			counts[by]++
		}
		switch {
		case counts[flows.RabbitMQ] > 0: // see rabbitForm
		case column.View != nil:
			first(&view, column)
		case len(column.Batches) > 0:
			first(&batches, column)
		case counts[flows.GraphQL] > 0:
			first(&query, column)
		case counts[flows.HTTP] == len(f.Rows):
			first(&http, column)
		case counts[flows.RPC] == len(f.Rows):
			first(&grpc, column)
		case counts[flows.KafkaLog] > most:
			messages, most = column.Form, counts[flows.KafkaLog]
		}
	}
	forms := slices.DeleteFunc([]services.Form{http, grpc, messages, query, batches, view}, func(form services.Form) bool { return form == "" })
	if len(forms) == 0 {
		return []services.Form{f.Default}
	}
	return forms
}

// messagesBy returns the form with the most messages on a carrier, or "".
func messagesBy(f *flows.Flow, by flows.Carrier) services.Form {
	var form services.Form
	most := 0
	for _, column := range f.Columns {
		n := 0
		for _, carrier := range column.By {
			if carrier == by {
				n++
			}
		}
		if n > most {
			form, most = column.Form, n
		}
	}
	return form
}

// needsKafka tells whether a form of the flow has messages on Kafka, of its own or for its view.
func needsKafka(f *flows.Flow, form services.Form) bool {
	column, _ := f.Column(form)
	if column.View != nil && column.View.Fed == flows.KafkaLog {
		return true
	}
	for _, by := range column.By {
		if by == flows.KafkaLog {
			return true
		}
	}
	return false
}

// consumers returns the consumer groups with their topics, both without the prefix. A group has the name of its service.
func consumers(f *flows.Flow) map[string][]string { return consumersBy(f, flows.KafkaLog) }

// consumersBy returns the services that consume from a carrier, with their topics.
func consumersBy(f *flows.Flow, by flows.Carrier) map[string][]string {
	groups := map[string][]string{}
	for _, service := range f.Services() {
		if topics := f.Consumes(service, by); len(topics) > 0 {
			groups[service] = topics
		}
	}
	return groups
}
