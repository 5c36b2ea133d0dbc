package otlp

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strings"
)

// Endpoint is where spans or metrics go. The zero value is none.
type Endpoint struct {
	text     string   // as it was given, for messages
	url      *url.URL // over HTTP, without the path of a signal; nil: over gRPC
	inEnv    bool     // the standard variables name it: the exporters read the rest there
	protocol string   // if inEnv: OTEL_EXPORTER_OTLP_PROTOCOL
}

// ParseEndpoint reads an address: host:port is gRPC in plaintext, an http:// or https:// URL is HTTP. A URL without a
// path, or with one that ends in /v1/traces, is completed with each signal's own path (/v1/traces, /v1/metrics). Any
// other path stays as it is: the server there must tell signals apart.
func ParseEndpoint(address string) (Endpoint, error) {
	if !strings.Contains(address, "://") {
		if _, _, err := net.SplitHostPort(address); err != nil {
			return Endpoint{}, fmt.Errorf("%s: use host:port for gRPC, or a URL for HTTP: %w", address, err)
		}
		return Endpoint{text: address}, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Endpoint{}, fmt.Errorf("%s: use a URL such as http://127.0.0.1:4318, or host:port for gRPC", address)
	}
	return Endpoint{text: address, url: u}, nil
}

// IsZero reports whether there is no endpoint.
func (e Endpoint) IsZero() bool { return e.text == "" }

// String returns the address as it was given, or names the variable that it comes from.
func (e Endpoint) String() string { return e.text }

// OverHTTP reports whether a URL was given.
func (e Endpoint) OverHTTP() bool { return e.url != nil }

// HostPort returns what to dial for an address that was given.
func (e Endpoint) HostPort() string {
	switch {
	case e.url == nil:
		return e.text
	case e.url.Port() != "":
		return e.url.Host
	case e.url.Scheme == "https":
		return net.JoinHostPort(e.url.Hostname(), "443")
	}
	return net.JoinHostPort(e.url.Hostname(), "80")
}

const tracesPath, metricsPath = "/v1/traces", "/v1/metrics"

// urlOf returns the URL of the signal with this path.
func (e Endpoint) urlOf(path string) string {
	u := *e.url
	switch base, traces := strings.CutSuffix(u.Path, tracesPath); {
	case traces:
		u.Path = base + path
	case u.Path == "":
		u.Path = path
	}
	return u.String()
}

// Destination is where a process sends its own traces and metrics.
type Destination struct{ Traces, Metrics Endpoint }

// ParseDestination reads an address for both signals, see ParseEndpoint. Without one, the standard
// OTEL_EXPORTER_OTLP_* variables name an endpoint for each, or for none; they also hold for what an address does not say.
func ParseDestination(address string, getenv func(string) string) (Destination, error) {
	if address == "" {
		return Destination{fromEnvironment("TRACES", getenv), fromEnvironment("METRICS", getenv)}, nil
	}
	e, err := ParseEndpoint(address)
	return Destination{e, e}, err
}

func fromEnvironment(signal string, getenv func(string) string) Endpoint {
	for _, variable := range []string{"OTEL_EXPORTER_OTLP_" + signal + "_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"} {
		if getenv(variable) != "" {
			protocol := cmp.Or(getenv("OTEL_EXPORTER_OTLP_"+signal+"_PROTOCOL"), getenv("OTEL_EXPORTER_OTLP_PROTOCOL"))
			return Endpoint{text: "of " + variable, inEnv: true, protocol: protocol}
		}
	}
	return Endpoint{}
}
