//go:build linux || darwin

// Package stack runs the parts of compose.yaml as processes on this machine, for tools/stack and for tests that need all of them: Kafka,
// RabbitMQ, the Collector, Jaeger, Prometheus and the seven services. Everything comes from compose.yaml and the files that it mounts: environment,
// arguments, configuration, order. Only host names, ports and paths are others. A part that no program here can run is left out, and said so.
//
// All state is in one folder; a folder is one stack. In it:
//
//	stack.json       the parts: process ids, addresses, and how each was started
//	addresses.json   where everything is, under the names of tracelab's environment variables
//	logs/NAME.log    what each part wrote; a start begins them anew
//	NAME.lock        held by the part's process as long as it lives
//	kafka/           the broker, see package broker; likewise rabbitmq/ and postgres/
//	volumes/NAME     compose's named volumes
//	files/           mounted files with other addresses in them
//	bin/             the programs built from this checkout
package stack
