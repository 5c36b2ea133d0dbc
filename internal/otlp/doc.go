// Package otlp receives and sends OpenTelemetry data in its own protocol, and holds the one grammar for the address of an
// endpoint.
package otlp
