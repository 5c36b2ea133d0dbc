// Package smoke holds the test of the whole stack: everything that compose.yaml starts, as processes, used through tracelab's commands, and
// checked through Jaeger and Prometheus, as a person would. It has the build tag stack.
package smoke
