// Package collector holds the configuration of the OpenTelemetry Collector, for compose and for processes alike: collector.yaml, and
// tail-sampling.yaml as an addition. There is no code in it but tests: they run both files in a real Collector, in front of a real Jaeger.
package collector
